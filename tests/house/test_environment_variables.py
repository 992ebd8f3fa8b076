"""The environment variables that the package reads: each one on purpose, and none that changes what a run computes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from house.sources import PACKAGE_FILES, each, module_of, tree_of

# What each is for. The numbers of a run come from its config alone: add nothing here that would change them.
READ = {
    "SANDBOX_DATA": "folder of data sets; MNIST's files have known hashes, and of others the config keeps the place",
    "SANDBOX_MEMBERS": "files with members of one's own, besides --members; a name that is taken is refused",
    "WANDB_MODE": "whether runs with logger.wandb=auto are sent; see test_the_environment_does_not_overrule_the_config",
    "XDG_CONFIG_HOME": "folder of what a user has said before: trusted modules, and the files of members",
    "TORCHELASTIC_RUN_ID": "whether torchrun started this process",
    "LOCAL_WORLD_SIZE": "whether all processes that torchrun started are on this machine",
    "WORLD_SIZE": "the same",
    "GLOO_SOCKET_IFNAME": "set to the loopback interface if they are",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "set, so that Ray keeps to the loopback interface",
    "RAY_USAGE_STATS_ENABLED": "set, so that Ray reports nothing to its makers",
    "TERM": "whether the line of progress can move",
    "DISPLAY": "whether a window can be opened",
    "WAYLAND_DISPLAY": "whether a window can be opened",
    "SDL_VIDEODRIVER": "whether a window can be opened",
    "PYGAME_HIDE_SUPPORT_PROMPT": "set, so that pygame prints no greeting",
    "_SANDBOX_COMPLETE": "what a shell asks for, in completion",
    "COMP_WORDS": "line that bash completes",
    "COMP_CWORD": "number of the word that bash completes",
    "_TYPER_COMPLETE_ARGS": "line that other shells complete",
    "_TYPER_COMPLETE_WORD_TO_COMPLETE": "word that other shells complete",
}
PASSED_ON = {
    "sandbox.envs._atari.workers",
    "sandbox.runs.sweeps.child",
}  # modules that give the whole environment to a process of theirs
OTHER_WAYS = r"\b(getenvb?|environb|expandvars|BaseSettings|envvar|auto_envvar_prefix|from os import .*environ)\b"


def texts(tree: ast.Module, name: str) -> set[str]:
    """Return the text, or the texts of the tuple, that `name` stands for in a file; empty if it is not known."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                parts = value.elts if isinstance(value, ast.Tuple) else [value]
                return {str(part.value) for part in parts if isinstance(part, ast.Constant)}
            case ast.comprehension(target=ast.Name(id=found), iter=ast.Name(id=many)) if found == name:
                return texts(tree, many)
            case ast.ImportFrom(module=str(module)):
                for alias in node.names:
                    if name == (alias.asname or alias.name):
                        files = [file for file in PACKAGE_FILES if module_of(file) == module]
                        return {text for file in files for text in texts(tree_of(file), alias.name)}
    return set()


def is_environment(node: ast.AST) -> bool:
    """Return whether a node is `os.environ`."""
    return isinstance(node, ast.Attribute) and node.attr == "environ"


def names(tree: ast.Module) -> Iterator[str]:
    """Yield the name of the variable at each use of `os.environ`; "" for the whole of it, or an unknown name."""
    keys: dict[ast.AST, ast.expr] = {}
    for node in ast.walk(tree):
        match node:
            case (
                ast.Subscript(value=used, slice=key)
                | ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[used])
            ):
                keys[used] = key
            case ast.Call(func=ast.Attribute(value=used, attr="get" | "setdefault" | "pop"), args=[key, *_]):
                keys[used] = key
    for node in filter(is_environment, ast.walk(tree)):
        match keys.get(node):
            case ast.Constant(value=str(name)):
                yield name
            case ast.Name(id=name):
                yield from texts(tree, name) or [""]
            case _:
                yield ""


def test_every_variable_that_is_read_is_listed_with_its_purpose() -> None:
    files = [file for file in PACKAGE_FILES if re.search(r"\benviron\b", file.read_text())]
    found = {module_of(file): set(names(tree_of(file))) for file in files}
    assert {module for module, read in found.items() if "" in read} == PASSED_ON
    assert set().union(*found.values()) - {""} == set(READ)


@each(PACKAGE_FILES)
def test_the_environment_is_read_in_one_way(file: Path) -> None:
    """By `os.environ`, which the test above finds; no option of a command or of a config has a variable."""
    assert not re.findall(OTHER_WAYS, file.read_text())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("os.environ['A']", {"A"}),
        ("os.environ.get('A', '') + os.environ.pop('B')", {"A", "B"}),
        ("'A' not in os.environ", {"A"}),
        ("K = 'A'\nos.environ.get(K)", {"A"}),
        ("K = ('A', 'B')\nany(os.environ[name] for name in K)", {"A", "B"}),
        ("from sandbox.runs.own_members import VARIABLE as K\nos.environ.get(K)", {"SANDBOX_MEMBERS"}),
        ("os.environ | {}", {""}),
        ("os.environ.get(name())", {""}),
        ("environment = os.environ", {""}),
    ],
)
def test_names_are_found(text: str, expected: set[str]) -> None:
    assert set(names(ast.parse(text))) == expected
