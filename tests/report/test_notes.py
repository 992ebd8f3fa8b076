"""A user's own notes in reports."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.core.errors import UserError
from sandbox.core.messages import plain
from sandbox.report.document import Notes
from sandbox.report.notes import as_html, as_markdown, read_notes

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "![x](https://example.com/pixel.png)",
    "<https://example.com>",
    "[a]: javascript:alert(1)\n\n[a]",
    '[x](https://e.com "&quot; onmouseover=alert(1) ")',
    "```<script>\n</code><script>\n",
    "`<b>`",
    "> ~~~\n> <i>\n\n<iframe>",
    "\x1b[2J\x00 &#8238; &#27;",
    "| a |\n|---|\n| <svg onload=x> |",
)
OURS = "p|em|strong|a|code|pre|ul|ol|li|h[3-6]|blockquote|hr|br|s|table|thead|tbody|tr|th|td"


def require_harmless(html):
    """Only tags of Markdown, whose attributes are links, classes of code and alignments."""
    for tag in re.findall(r"<[^>]*>?", html):
        assert re.fullmatch(
            rf'</?({OURS})( (href="[^"]*"|title="[^"]*"|rel="noopener noreferrer"|class="language-[^"]*"|start="\d+"|'
            r'style="text-align:\w+"))*( /)?>',
            tag,
        ), tag
    assert not re.findall(r'href="\s*(?:javascript|vbscript|data|file):', html, re.IGNORECASE)
    assert plain(html) == html


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=12), max_size=4).map("\n".join))
def test_no_html_of_ones_own_passes(text):
    require_harmless(as_html(Notes(text)))


def test_markdown_becomes_html():
    html = as_html(Notes("# A\n\n*b* [c](https://example.com) `d<e`\n\n| x | y |\n|---|--:|\n| 1 | 2 |\n"))
    assert "<h3>A</h3>" in html
    assert '<a href="https://example.com" rel="noopener noreferrer">c</a>' in html
    assert "<code>d&lt;e</code>" in html
    assert "<td>1</td>" in html


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a <b>\n\n```\nx < y\n```\nc <d", "a &lt;b>\n\n```\nx < y\n```\nc &lt;d"),
        ("~~~\n<i>", "~~~\n<i>\n~~~"),  # left open, it would hide the rest of the report
        ("- ```\n  x\n\n<b>", "- ```\n  x\n\n&lt;b>"),
        ("a ` b\nc ` <script> ` d", "a ` b\nc ` &lt;script> ` d"),
    ],
)
def test_html_is_text_in_markdown_too(text, expected):
    assert as_markdown(Notes(text)) == expected


def test_files(tmp_path):
    place = tmp_path / "notes.md"
    place.write_bytes(b"\xef\xbb\xbf# \xc3\xa4")
    assert read_notes(place) == Notes("# ä")
    place.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"not a text in UTF-8 \(byte 0\); save it as UTF-8"):
        read_notes(place)
    with pytest.raises(UserError, match="No such file or directory; name a Markdown file"):
        read_notes(tmp_path / "none.md")
    with pytest.raises(UserError, match="is a folder, where a file should be"):
        read_notes(tmp_path)
    place.write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(UserError, match="has 1,048,577 bytes, more than the 1,048,576 that are read"):
        read_notes(place)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_of_other_systems(tmp_path, end):
    """A file that was written on Windows."""
    place = tmp_path / "notes.md"
    place.write_bytes(f"# Title{end}{end}```{end}a < b{end}```{end}c{end}".encode())
    notes = read_notes(place)
    assert as_html(notes) == "<h3>Title</h3>\n<pre><code>a &lt; b\n</code></pre>\n<p>c</p>\n"
    assert as_markdown(notes) == "# Title\n\n```\na < b\n```\nc"
