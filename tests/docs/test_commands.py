"""The commands of every page, run from top to bottom at tiny sizes in one folder."""

import os

import pytest
from docs.command_line import IncompleteError, WrongError
from docs.pages import Page, pages, parameters
from docs.reader import REFUSED, Reader

from sandbox.core.errors import UserError

PAGES = [page for page in pages() if any(command.program == "sandbox" for command in page.commands)]


@pytest.mark.parametrize("page", parameters(PAGES))
def test_the_commands_of_a_page_run(page: Page, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_MEMBERS", os.pathsep.join(reader.save_files(page)))
    reader.follow(page)
    if reader.left_out:
        pytest.skip(f"SANDBOX_DATA names no folder with MNIST; all ran but: {', '.join(reader.left_out)}")


def test_the_mistakes_that_are_shown_are_there() -> None:
    assert REFUSED.keys() <= {command.text for page in PAGES for command in page.commands}


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        ("sandbox trian catch_dqn", WrongError, "there is no command 'trian'"),
        ("sandbox list --jsno", WrongError, "No such option"),
        ("sandbox new agent", IncompleteError, "Missing argument"),
        ("sandbox train catch_dqn stesp=5", UserError, "stesp"),
        ("sandbox train catch_dnq", UserError, "no config is called 'catch_dnq'"),
        ("sandbox train catch_dqn agent.discount=2", UserError, "agent.discount"),
        ("sandbox watch my_best", AssertionError, "no runs in runs yet"),
        ("sandbox show sanke", AssertionError, "no member, config or run is called 'sanke'"),
        ("sandbox bench dqm", AssertionError, "no benchmark is called 'dqm'"),
    ],
)
def test_a_mistake_in_a_page_is_found(reader: Reader, line: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as found:
        reader.follow(Page("page.md", f"```\n{line}\n```"))
    assert message in str(found.value)
    assert found.value.__notes__ == [f"page.md:2: {line}"]


def test_a_mistake_within_a_line_is_found(reader: Reader) -> None:
    """A part of a command is none."""
    reader.follow(
        Page("page.md", "Use `sandbox train` or `sandbox sample RUN --video` or `sandbox train ... name=NAME`.")
    )
    with pytest.raises(WrongError):
        reader.follow(Page("page.md", "Use `sandbox sample RUN --vidoe`."))
