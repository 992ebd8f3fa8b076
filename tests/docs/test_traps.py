"""The pages about traps and terms: each test and each file that they name is there."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
LINKS = re.findall(r"\[`(test_\w+)`\]\(([^)]+)\)", (DOCS / "traps.md").read_text())


def test_the_page_links_tests() -> None:
    assert len(LINKS) > 100


@pytest.mark.parametrize("file", sorted({file for _, file in LINKS}))
def test_every_linked_test_is_there(file: str) -> None:
    text = (DOCS / file).read_text()
    assert not [name for name, other in LINKS if other == file and f"def {name}(" not in text]


def test_every_term_ends_with_a_file_that_is_there() -> None:
    text = (DOCS / "glossary.md").read_text()
    body = text[text.index("```{glossary}") :]
    entries = re.split(r"\n(?=\S)", body)[1:-1]
    assert len(entries) > 60
    for entry in entries:
        files = re.findall(r"\]\((\.\./[^)]+)\)", entry)
        assert files, entry
        assert all((DOCS / file).is_file() for file in files), entry
