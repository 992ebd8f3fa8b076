"""The layout of the repository: ten layers, packages only, small files."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from house.sources import FAMILIES, PACKAGE_FILES, ROOT, TEST_FILES, each, tree_of


def test_the_import_contract_has_ten_layers() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    placed = [name.strip() for layer in contract["layers"] for name in layer.split("|")]
    folders = {f"sandbox.{path.name}" for path in (ROOT / "sandbox").iterdir() if path.is_dir()}
    assert len(contract["layers"]) == 10
    assert sorted(placed) == sorted(folders - {"sandbox.configs", "sandbox.__pycache__"})


def test_the_package_holds_packages_only() -> None:
    loose = {path.name for path in (ROOT / "sandbox").iterdir() if not path.is_dir()}
    assert loose <= {"__init__.py", "__main__.py", "py.typed"}


@each([*PACKAGE_FILES, *TEST_FILES])
def test_no_file_is_over_300_lines(file: Path) -> None:
    assert file.read_text().count("\n") <= 300


@each(PACKAGE_FILES)
def test_a_file_has_a_docstring_and_small_constructors(file: Path) -> None:
    tree = tree_of(file)
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            assert len(node.args.args) + len(node.args.kwonlyargs) <= 9, "self and at most 8 arguments"


@each([*PACKAGE_FILES, *TEST_FILES])
def test_no_assert_is_of_a_tuple(file: Path) -> None:
    """A tuple is true: `assert (condition, "message")` never fails."""
    if re.search(r"\bassert\s*\(", file.read_text()):  # to parse every file takes seconds
        asserted = [node for node in ast.walk(tree_of(file)) if isinstance(node, ast.Assert)]
        assert not [node.lineno for node in asserted if isinstance(node.test, ast.Tuple)]


@each([file for file in PACKAGE_FILES if file.name == "__init__.py"])
def test_an_init_is_a_docstring(file: Path) -> None:
    """Families guard their bare names, `envs` registers with Gymnasium, and `sandbox` offers its Python API."""
    if file.parent.name in ("envs", "sandbox"):
        return
    body = tree_of(file).body
    assert len(body) == (2 if file.parent.name in FAMILIES else 1)
    assert all(isinstance(node, ast.If) for node in body[1:])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_by_its_bare_name_says_what_to_import(family: str) -> None:
    """The folder is in reach from the repository's root, where a second copy of every module would be loaded."""
    done = subprocess.run([sys.executable, "-c", f"import {family}"], cwd=ROOT, capture_output=True, text=True)
    assert f"ImportError: import sandbox.{family} instead" in done.stderr


@each([*PACKAGE_FILES, *TEST_FILES])
def test_nothing_imports_a_family_by_its_bare_name(file: Path) -> None:
    for node in ast.walk(tree_of(file)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert not [name for name in names if name.split(".")[0] in FAMILIES]
