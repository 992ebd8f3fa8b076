"""The HTML page: its scripts and values, and names that would be HTML."""

import html
import json
import math
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.core.messages import plain
from sandbox.media.svg_plot import Line, Mark, plot
from sandbox.report.document import Code, Document, Gallery, Heading, Notes, Plot, Table, Text
from sandbox.report.page import page

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title></style><svg onload=alert(1)>",
    "\"'><img src=x onerror=alert(1)>",
    "`<b>` & &lt;",
    "javascript:alert(1)",
    "\x1b]0;x\x07\x00\u202e",
    "<!--",
    "]]>",
)
TAGS = {"html", "head", "meta", "link", "title", "style", "body", "script", "h1", "h2", "h3", "p", "section", "div"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td", "code", "details", "summary", "pre", "figure", "svg", "g", "path"}
TAGS |= {"rect", "circle", "polygon", "text", "em", "strong", "a", "li", "ul", "ol", "blockquote", "hr", "br", "h4"}


class Reader(HTMLParser):
    """Collects the tags, attributes and the text of a page, as a browser would find them."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attrs]

    def handle_data(self, data):
        self.words.append(data)


def document(text):
    """A report in which every place for a text holds this one."""
    line = Line(text, [0, 1, 2], [0, math.nan, 1], marks=[Mark(2, 1, 0.5, 1.5, text)])
    plots = Plot(
        text, plot([line], text, text, [(text, 0.5)], marked=text), text, "step", [(text, [text])], [line], text
    )
    blocks = [Heading(text), Text(text), Notes(text), Table([text], [[text]]), Code(text, text), Gallery([plots])]
    return Document(text, blocks, [text], text)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=8), min_size=1, max_size=3).map("".join))
def test_names_are_never_html(text):
    reader, written = Reader(), page(document(text))
    assert plain(written) == written
    reader.feed(written)
    assert set(reader.tags) <= TAGS
    assert reader.tags.count("script") == 1
    assert not [each for each in reader.attributes if each[1].startswith("on")]
    links = [(tag, value) for tag, name, value in reader.attributes if name in ("src", "href", "xlink:href")]
    assert all(value.startswith("data:,") for tag, value in links if tag != "a")
    assert not [value for _, value in links if value.strip().lower().startswith("javascript")]


def test_names_are_shown_as_they_are():
    reader = Reader()
    reader.feed(page(document("</script><b> & co")))
    assert reader.words.count("</script><b> & co") >= 8
    (values,) = [value for tag, name, value in reader.attributes if name == "data-plot"]
    assert json.loads(values) == {
        "x": "</script><b> & co",
        "lines": [
            {
                "label": "</script><b> & co",
                "points": [[0.0, 0.0], [2.0, 1.0]],  # as many as the path has
                "marks": [[2.0, 1.0, 0.5, 1.5, "</script><b> & co"]],
            }
        ],
    }


def test_bands_have_their_ends():
    line = Line("a", [1, 2], [1, 2], [0.5, math.nan], [1.5, math.nan])
    text = page(Document("t", [Gallery([Plot("", "<svg></svg>", "m", "step", [], [line], "steps")])]))
    (values,) = re.findall(r'data-plot="([^"]*)"', text)
    assert json.loads(html.unescape(values))["lines"][0]["points"] == [[1, 1, 0.5, 1.5], [2, 2, None, None]]


@pytest.mark.parametrize("date", ["", "30 November 2026"])
def test_title_and_date(date):
    text = page(Document("dqn on catch", [], date=date))
    assert ("<title>dqn on catch (30 November 2026)</title>" in text) == bool(date)
    assert ('<p class="about">30 November 2026</p>' in text) == bool(date)
    assert len(text) < 20_000  # style and script
