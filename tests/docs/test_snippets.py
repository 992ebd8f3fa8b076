"""The Python of every page, run from top to bottom in one namespace and an empty folder."""

import re
from pathlib import Path

import pytest
from docs.pages import Page, pages, parameters
from docs.presumed import make_files, make_members
from docs.reader import Reader

from sandbox.api.loaded_run import LoadedRun
from sandbox.core.errors import UserError

PAGES = [page for page in pages() if page.snippets]


def run(page: Page, reader: Reader) -> dict[str, object]:
    """Run the Python of a page and return its names."""
    names: dict[str, object] = {}
    for block in page.snippets:
        make_files(block.text)
        make_members(block.text)
        for name in re.findall(r'"(\w+_s\d+)"', block.text):
            reader.presume(name, ())
        lines = "\n" * (block.line - 1) + block.text  # so that a traceback has the lines of the page
        exec(compile(lines, page.name, "exec"), names)  # noqa: S102, our own page
    return names


@pytest.mark.usefixtures("tiny_python")
@pytest.mark.parametrize("page", parameters(PAGES))
def test_the_python_of_a_page_runs(page: Page, reader: Reader) -> None:
    """A run that it leaves behind can be evaluated."""
    for each in run(page, reader).values():
        if isinstance(each, LoadedRun):
            assert each.evaluate(episodes=2, images=20)


@pytest.mark.usefixtures("tiny_python")
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import sandbox\nsandbox.trian('catch_dqn')", AttributeError),
        ("import sandbox\nsandbox.train('catch_dqn', {'stesp': 5})", UserError),
        ("from sandbox.envs.snake import Snaek", ImportError),
    ],
)
def test_a_mistake_in_a_page_is_found(code: str, error: type[Exception], reader: Reader) -> None:
    with pytest.raises(error) as found:
        run(Page("page.md", f"Text.\n\n```python\n{code}\n```"), reader)
    assert "page.md" in [Path(entry.path).name for entry in found.traceback]
