"""The Python in the documentation: what it imports from this package is there."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from house.sources import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", Path(page).read_text(), re.DOTALL))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_imports_of_examples_exist(block: str) -> None:
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("sandbox"):
            found = vars(import_module(str(node.module)))
            for alias in node.names:
                assert alias.name in found or import_module(f"{node.module}.{alias.name}")
