"""The documentation as a site: it builds without a warning, needs no network, and knows every member."""

import re
from html import unescape
from pathlib import Path

import pytest
from sphinx.application import Sphinx

from sandbox.runs import registry

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]
REMOTE = re.compile(r"""<(?:script|link|img|video|iframe)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning is an error."""
    out = tmp_path_factory.mktemp("site")
    app = Sphinx(DOCS, DOCS, out, out / "doctrees", "html", status=None, warningiserror=True, exception_on_warning=True)
    app.build()
    return out


def test_every_member_has_a_section_with_its_options(site: Path) -> None:
    for family, page in (
        ("agents", "agents"), ("envs", "environments"), ("generators", "generators"), ("data", "data")
    ):  # fmt: skip
        text = (site / f"{page}.html").read_text()
        for name in registry.names(family):
            assert f"<h3>{name}<" in text
        assert text.count("<details>") == len(registry.names(family))
        assert "agent.discount" in text or family != "agents"


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not REMOTE.search(page.read_text()), page.name


def test_links_lead_to_files_of_the_site(site: Path) -> None:
    for page in site.rglob("*.html"):
        for link in re.findall(r"""(?:href|src)=["']([^"']+)["']""", page.read_text()):
            target = unescape(link).partition("#")[0].partition("?")[0]
            if target and not re.match(r"[a-z]+:", target):
                assert (page.parent / target).exists(), f"{page.relative_to(site)}: {link}"


def test_the_search_index_has_words_of_the_pages(site: Path) -> None:
    index = (site / "searchindex.js").read_text()
    assert index.startswith("Search.setIndex(")  # a script, which a page from a folder may load
    assert all(f'"{word}"' in index or f"{word}:" in index for word in ("burn", "atari", "hopfield"))
