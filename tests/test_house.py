"""The house rules that a machine can hold."""

import ast
import io
import subprocess
import sys
import tokenize
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("sandbox", "envs", "agents", "generators")
FILES = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]


def module_of(file: Path) -> str:
    """The name by which `file` is imported: every folder of the house lies, or is linked, in `sandbox`."""
    name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return name if name.split(".")[0] == "sandbox" else f"sandbox.{name}"


def imported(file: Path) -> set[Path]:
    """The files of the house that `file` imports, anywhere in it."""
    by_name = {module_of(other): other for other in FILES}
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {by_name[name] for name in names if name in by_name}


def closure(*files: str) -> set[Path]:
    found: set[Path] = set()
    todo = {ROOT / file for file in files}
    while todo:
        file = todo.pop()
        found.add(file)
        todo |= imported(file) - found
    return found


def lines_of_code(file: Path) -> int:
    """Lines with something to run on them: no blank ones, no comments, no docstrings."""
    text = file.read_text()
    bodies = [node.body[0] for node in ast.walk(ast.parse(text)) if is_documented(node)]
    silent = {number for first in bodies for number in range(first.lineno, (first.end_lineno or 0) + 1)}
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in quiet]
    return len({number for token in tokens for number in range(token.start[0], token.end[0] + 1)} - silent)


def is_documented(node: ast.AST) -> bool:
    return isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None


def test_dqn_can_be_read_from_end_to_end() -> None:
    """The agent, the loop and its stream, with all they import: at most 900 lines of code."""
    files = closure("agents/dqn.py", "sandbox/training/loop.py", "sandbox/streams/experience.py")
    lines = {str(file.relative_to(ROOT)): lines_of_code(file) for file in files}
    assert sum(lines.values()) <= 900, lines


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_one_file_one_idea(file: Path) -> None:
    text = file.read_text()
    assert text.count("\n") <= 300
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    if file.name == "__init__.py" and file.parent.name not in ROOMS[1:]:
        assert len(tree.body) == 1, "an __init__.py is a docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            assert len(node.args.args) + len(node.args.kwonlyargs) <= 9, "self and at most 8 arguments"
        assert not (isinstance(node, ast.Assert) and isinstance(node.test, ast.Tuple)), "a tuple is true"


def test_every_room_has_its_floor() -> None:
    """A new top-level module of `sandbox` must be placed in the import contract."""
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    placed = {name.strip() for layer in layers for name in layer.split("|")}
    rooms = {f"sandbox.{path.stem}" for path in (ROOT / "sandbox").iterdir() if not path.name.startswith("__")}
    assert rooms - {"sandbox.configs"} == placed


@pytest.mark.parametrize("family", ROOMS[1:])
def test_a_family_by_its_bare_name_says_what_to_import(family: str) -> None:
    """From the repository's root the folder is in reach: a second copy of every module would be loaded."""
    done = subprocess.run([sys.executable, "-c", f"import {family}"], cwd=ROOT, capture_output=True, text=True)
    assert f"ImportError: import sandbox.{family} instead" in done.stderr


@pytest.mark.parametrize("file", [*FILES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda file: file.name)
def test_nothing_imports_a_family_by_its_bare_name(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert not [name for name in names if name.split(".")[0] in ROOMS[1:]]
