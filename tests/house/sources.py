"""The source files of the project, and what the tests of the house read in them."""

import ast
import io
import tokenize
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FAMILIES = ("agents", "envs", "generators")
PACKAGE_FILES = [file for folder in ("sandbox", *FAMILIES) for file in sorted((ROOT / folder).rglob("*.py"))]
TEST_FILES = sorted((ROOT / "tests").rglob("*.py"))


def relative(file: Path) -> str:
    """Return the path of `file` below the repository's root."""
    return str(file.relative_to(ROOT))


def each(files: Iterable[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Make a test of one file a test of all `files`. It is one test, since thousands of small ones take a minute."""

    def make(test: Callable[[Path], None]) -> Callable[[], None]:
        def whole() -> None:
            wrong = {}
            for file in files:
                try:
                    test(file)
                except AssertionError as error:
                    wrong[relative(file)] = str(error)
            assert not wrong, wrong

        whole.__name__, whole.__doc__, whole.__module__ = test.__name__, test.__doc__, test.__module__
        return whole

    return make


@cache
def tree_of(file: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(file.read_text())


def module_of(file: Path) -> str:
    """Return the name by which `file` is imported; the families are linked into `sandbox`."""
    name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return name if name.split(".")[0] == "sandbox" else f"sandbox.{name}"


def documented(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Yield every module, class and function of a file that has a docstring, with the docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text is not None:
                yield node, text


def code_lines(text: str) -> set[int]:
    """Return the numbers of the lines that hold code: no blank lines, comments or docstrings; an option is one line."""
    tree = ast.parse(text)
    texts = [node.body[0] for node, _ in documented(tree)]  # type: ignore[attr-defined]
    fields = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Field"]
    silent = {number for text in texts for number in range(text.lineno, (text.end_lineno or 0) + 1)}
    silent |= {number for field in fields for number in range(field.lineno + 1, (field.end_lineno or 0) + 1)}
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in quiet]
    return {number for token in tokens for number in range(token.start[0], token.end[0] + 1)} - silent
