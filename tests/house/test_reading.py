"""The reading that a member takes: straight lines, few files, public names."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from house.sources import PACKAGE_FILES, ROOT, TEST_FILES, code_lines, module_of, relative

MODULES = {module_of(file): file for file in PACKAGE_FILES}
PLUMBING = r"thread|background|\bwait|captured?_graph|cuda_?graph|\.clone\(|record(?:ed|ing)"


@cache
def definitions(file: Path) -> dict[str, ast.stmt]:
    """Return the functions, classes and constants of a file by name."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(file.read_text()).body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                found[node.name] = node
            case ast.Assign():
                found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = node
    return found


@cache
def imports(file: Path) -> dict[str, tuple[str, str]]:
    """Return what each imported name stands for: (module, name), or (module, "") for a module."""
    found = {}
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found[alias.asname or alias.name] = (whole, "") if whole in MODULES else (node.module, alias.name)
    return found


def entered(*starts: str) -> dict[Path, set[int]]:
    """Return the lines of code that a reader enters who follows every name, from whole files on."""
    todo = [(ROOT / start, name) for start in starts for name in definitions(ROOT / start)]
    seen, lines = set(todo), dict[Path, set[int]]()
    while todo:
        file, name = todo.pop()
        node = definitions(file)[name]
        first = min([node.lineno, *(line.lineno for line in getattr(node, "decorator_list", []))])
        lines.setdefault(file, set()).update(range(first, (node.end_lineno or first) + 1))
        for part in ast.walk(node):
            places: list[tuple[str, str]] = []
            if isinstance(part, ast.Name):
                places = [(module_of(file), part.id), imports(file).get(part.id, ("", ""))]
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                module, _ = imports(file).get(part.value.id, ("", ""))
                places = [(module, part.attr)]
            for module, found in places:
                place = (MODULES.get(module, file), found)
                if module in MODULES and found in definitions(place[0]) and place not in seen:
                    seen.add(place)
                    todo.append(place)
    return {file: numbers & code_lines(file.read_text()) for file, numbers in lines.items()}


def test_dqn_can_be_read_from_end_to_end() -> None:
    """The agent, the loop and its stream with all that they enter: at most 1,380 lines of code. The goal is 800.

    Some 180 of them are the layers that all backbones share: activations, norms, dropout, initial weights.
    """
    found = entered("agents/dqn.py", "sandbox/training/loop.py", "sandbox/streams/experience.py")
    counted = {relative(file): len(lines) for file, lines in found.items()}
    assert sum(counted.values()) <= 1_380, counted


@pytest.mark.parametrize("member", ["agents/dqn", "agents/double_dqn", "agents/drqn", "agents/rainbow"])
def test_an_agents_update_is_short(member: str) -> None:
    assert update_length(member) <= 15


@pytest.mark.parametrize("member", ["generators/gan", "generators/wgan_gp"])
def test_a_gans_update_is_short(member: str) -> None:
    assert update_length(member) <= 15


def update_length(member: str) -> int:
    """Return the lines of code of a member's `update`, its signature included."""
    text = (ROOT / f"{member}.py").read_text()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    (update,) = [node for node in functions if node.name == "update"]
    return len(code_lines(text) & set(range(update.lineno, (update.end_lineno or 0) + 1)))


@pytest.mark.parametrize("file", sorted((ROOT / "agents").glob("[!_]*.py")), ids=relative)
def test_an_agents_file_knows_no_plumbing(file: Path) -> None:
    """Threads, waiting, CUDA graphs and the lifetime of buffers are the infrastructure's business."""
    assert not re.findall(PLUMBING, file.read_text())


def test_tests_use_public_names() -> None:
    """At most 100 accesses to private attributes of others in all tests."""
    found = [
        f"{relative(file)}:{node.lineno} {node.attr}"
        for file in TEST_FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in ("_replace", "_asdict", "_fields")  # public methods of named tuples
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    ]
    assert len(found) <= 100, found
