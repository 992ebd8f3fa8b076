"""Places at which a source file can be mutated, by the operators of cosmic-ray."""

import ast
import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.operators.operator import Operator
from cosmic_ray.operators.provider import OperatorProvider

ARITHMETIC, BITWISE = ("Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow"), ("BitOr", "BitAnd", "BitXor")
ORDER, IDENTITY = ("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE"), ("Is", "IsNot")
OTHERS = [
    *("AddNot", "NumberReplacer", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr"),
    *("ReplaceOrWithAnd", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"),
    *("ReplaceUnaryOperator_USub_UAdd", "ReplaceUnaryOperator_Delete_USub", "ReplaceUnaryOperator_Delete_Not"),
    "ReplaceUnaryOperator_Delete_Invert",
]
NODES = {"operator", "number", "keyword", "comparison", "factor", "not_test", "test", "if_stmt", "while_stmt"}
NODES |= {"for_stmt"}
DRAWING = re.compile(r"preview|draw|render")  # names of functions and files that are left out
AUGMENTED = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|="}


class AugmentedAssignment(Operator):
    """Replaces += by -=, *= by /=, and so on; cosmic-ray has no operator for them."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "operator" and node.value in AUGMENTED:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.value = AUGMENTED[node.value]
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


def operators() -> dict[str, Any]:
    """Return the operators in use by name."""
    provider = OperatorProvider()
    pairs = [
        f"Replace{kind}Operator_{old}_{new}"
        for kind, groups in (("Binary", (ARITHMETIC, BITWISE)), ("Comparison", (ORDER, IDENTITY)))
        for names in groups
        for old in names
        for new in names
        if old != new
    ]
    return {name: provider[name]() for name in (*pairs, *OTHERS)} | {"AugmentedAssignment": AugmentedAssignment()}


OPERATORS = operators()


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes:
        file: Path below the repository.
        operator: Name of the operator.
        node: Number of the node in the order of the source.
        index: Which of the operator's changes of that node.
        line: Line number.
        column: Column.
        scope: Qualified name of the function; empty outside all functions.
        before: The line.
        after: The changed line.
    """

    file: str
    operator: str
    node: int
    index: int
    line: int
    column: int
    scope: str
    before: str
    after: str

    @property
    def id(self) -> str:
        """A name that does not hang on line numbers."""
        text = "|".join([self.file, self.scope, self.before, self.after])
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def record(self) -> dict[str, Any]:
        return {"id": self.id, **asdict(self)}


def mutated(source: str, operator: str, node: int, index: int) -> str:
    """Return the source after one change."""
    tree = parso.parse(source)
    old = next(found for number, found in enumerate(ast_nodes(tree)) if number == node)
    new = OPERATORS[operator].mutate(old, index)
    if new is not old:
        siblings = old.parent.children
        siblings[[sibling is old for sibling in siblings].index(True)] = new
    return tree.get_code()


def excluded(tree: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the spans of type hints, raised errors, texts and drawing code."""
    nodes: list[ast.AST | None] = []
    for node in ast.walk(tree):
        match node:
            case ast.arg(annotation=hint) | ast.AnnAssign(annotation=hint):
                nodes.append(hint)
            case ast.FunctionDef(name=name, returns=hint):
                nodes.append(node if DRAWING.search(name) else hint)
            case ast.Raise() | ast.JoinedStr() | ast.Assert():
                nodes.append(node)
    nodes += [node.value for node in tree.body if isinstance(node, ast.Assign) and is_alias(node.value)]
    return [
        ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
        for node in nodes
        if isinstance(node, ast.expr | ast.stmt) and node.end_lineno is not None and node.end_col_offset is not None
    ]


def is_alias(node: ast.expr) -> bool:
    """Return whether a value reads like a type: names, subscripts and | only."""
    kinds = ast.BinOp | ast.BitOr | ast.Name | ast.Attribute | ast.Subscript | ast.Tuple | ast.List | ast.Load
    parts = list(ast.walk(node))
    typed = any(isinstance(part, ast.Subscript | ast.BitOr) for part in parts)
    return typed and all(isinstance(part, kinds) or constant_hint(part) for part in parts)


def constant_hint(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str))


def scopes(tree: ast.Module) -> list[tuple[int, int, str]]:
    """Return (first line, last line, qualified name) of all functions' bodies, outer ones first."""
    found = []

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.FunctionDef(name=name):
                    found.append((child.body[0].lineno, child.end_lineno or child.lineno, prefix + name))
                    visit(child, f"{prefix}{name}.<locals>.")
                case ast.ClassDef(name=name):
                    visit(child, f"{prefix}{name}.")
                case _:
                    visit(child, prefix)

    visit(tree, "")
    return found


def points(root: Path, file: str) -> dict[tuple[str, int, int, str], list[Mutant]]:
    """Return a file's mutants by place and kind of change."""
    source = (root / file).read_text()
    tree = ast.parse(source)
    spans, functions, lines = excluded(tree), scopes(tree), source.splitlines()
    found: dict[tuple[str, int, int, str], list[Mutant]] = {}
    for number, node in enumerate(ast_nodes(parso.parse(source))):
        for name, operator in OPERATORS.items() if node.type in NODES else ():
            for index, ((line, column), _) in enumerate(operator.mutation_positions(node)):
                scope = ([name for first, last, name in functions if first <= line <= last] or [""])[-1]
                hint = not scope and name.startswith("ReplaceBinaryOperator_Bit")
                if hint or any(start <= (line, column) < end for start, end in spans):
                    continue
                kind = name.split("_")[0]
                mutant = Mutant(file, name, number, index, line, column, scope, lines[line - 1].strip(), "")
                found.setdefault((file, line, column, kind), []).append(mutant)
    return found


def draw(root: Path, package: str, files: list[str], count: int, seed: int) -> list[Mutant]:
    """Draw mutants of a package, a second change at one place only once every place has been changed."""
    generator = random.Random(f"{seed}/{package}")
    places = {place: mutants for file in files for place, mutants in points(root, file).items()}
    shuffled = {place: generator.sample(places[place], len(places[place])) for place in sorted(places)}
    order = generator.sample(sorted(places), len(places))
    rounds = (shuffled[place][turn] for turn in range(10) for place in order if turn < len(shuffled[place]))
    changed = (show(root, mutant) for mutant in rounds)
    return list(islice((mutant for mutant in changed if mutant), count))


def show(root: Path, mutant: Mutant) -> Mutant | None:
    """Return the mutant with its changed line, or None if it is no other program."""
    source = (root / mutant.file).read_text()
    text = mutated(source, mutant.operator, mutant.node, mutant.index)
    if (tree := syntax(text)) is None or tree == syntax(source):
        return None
    joined = len(text.splitlines()) < len(source.splitlines())  # a number at a line's start joins the line before
    return replace(mutant, after=text.splitlines()[mutant.line - 1 - joined].strip())


@cache
def syntax(text: str) -> str | None:
    """Return the syntax tree of a text, or None if it is not Python."""
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return None
