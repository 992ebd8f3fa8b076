"""Commands that no test runs: what they name exists, and the table of them is complete and has nothing else."""

import pytest
from docs.elsewhere import TABLE, entry_of
from docs.pages import SHELLS, TEXTS, Page, pages

PAGES = pages()


def checked(page: Page) -> list[str]:
    """Return what is wrong in the commands of a page that no test runs."""
    wrong = []
    for command in page.commands:
        key = entry_of(command)
        is_name = command.inline and len(command.words) == 1
        if key is None:
            if command.program != "sandbox" and not is_name:
                wrong.append(f"{page.name}:{command.line}: {command.text}: neither run nor in docs/elsewhere.py")
            continue
        try:
            TABLE[key].check(command.words)
        except Exception as problem:
            wrong.append(f"{page.name}:{command.line}: {command.text}: {problem}")
    return wrong


def test_what_no_test_runs_exists() -> None:
    assert not [line for page in PAGES for line in checked(page)]


def test_every_entry_of_the_table_is_used() -> None:
    used = {entry_of(command) for page in PAGES for command in page.commands}
    assert not TABLE.keys() - used


def test_every_block_has_a_language_that_is_known() -> None:
    """Commands in a block of another language would not be found."""
    known = ("", "python", *SHELLS, *TEXTS)
    blocks = [(page.name, block) for page in PAGES for block in page.blocks]
    assert not [f"{name}:{block.line}: {block.language}" for name, block in blocks if block.language not in known]


def test_the_pages_are_found() -> None:
    """If the reading of pages breaks, nothing would fail."""
    assert {"README.md", "CONTRIBUTING.md"} < {page.name for page in PAGES}
    assert {"make", "sandbox"} <= {command.program for page in PAGES for command in page.commands if not command.inline}
    assert any(page.snippets for page in PAGES)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("make chekc test", "the Makefile has no target chekc"),
        ("python benchmarks/nothing.py", "No such file or directory"),
        ("python benchmarks/annealing.py --machine 5", "benchmarks/annealing.py has no option --machine"),
        ("python benchmarks/annealing.py 5", "benchmarks/annealing.py takes options only"),
        ("pytest tests/nothing.py -k a", "there is no tests/nothing.py"),
        ("pytest -m lerning tests/agents", "there is no lerning"),
        ("pip install examples/nothing", "there is no examples/nothing"),
        ("pip install 'rl-sandbox[box2d,wbe]'", "pyproject.toml has no extra wbe"),
        ("sandbox push RUN --repositry a", "No such option"),
        (".ci/run && conda create", "conda create: neither run nor in docs/elsewhere.py"),
    ],
)
def test_a_mistake_in_a_page_is_found(line: str, message: str) -> None:
    (found,) = checked(Page("page.md", f"A line.\n\n```sh\n{line}\n```"))
    assert found.startswith("page.md:4: ")
    assert message in found
