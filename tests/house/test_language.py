"""One language: words that everybody in the field knows, and texts where they belong."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from house.sources import PACKAGE_FILES, ROOT, TEST_FILES, documented, each, tree_of
from pydantic import BaseModel

from sandbox.config.schema import Model, items, models
from sandbox.config.unions import configs_in
from sandbox.networks.base import BackboneConfig
from sandbox.optimizers.base import OptimizerConfig
from sandbox.runs import registry
from sandbox.runs.config import AgentRun, GeneratorRun

# Retired words, as regular expressions of whole words in lower case, with the word to say instead.
RETIRED = {
    r"lanes?": "environments, env_ids or mask",
    r"beside": "background (for work during an update)",
    r"kin": "family",
    r"journals?": "recorder",
    r"workbench": "trainer",
    r"catalogu?e?s?": "registry",
    r"assembl(y|ies|e)": "build, built run",
    r"judges?|judging": "evaluate, feature extractor",
    r"slopes?": "gradient",
    r"duels?": "adversarial training",
    r"tricks?": "regularizers",
    r"verdicts?": "discriminator output",
    r"crews?": "worker pool",
    r"bells?": "wake flags",
    r"minds?": "agent panels",
    r"shel(f|ves)": "media budget",
    r"seats?": "player slot",
    r"thoughts?": "decision",
    r"audiences?": "clients",
    r"fantas(y|ies)": "samples from the chain",
    r"doodles?": "drawing",
    r"reels?": "video",
    r"film(s|ed|ing)?": "video, record",
    r"pictures?": "image or frame",
    r"worlds?": "environment",
    r"houses?|roofs?": "layers, packages",
    r"painters?|sketchers?|sketch(es)?": "stage one, stage two",
    r"learnt": "learned",
    r"colour(s|ed|ing)?": "color",
    r"greys?": "gray",
    r"optimis\w*": "optimize",
    r"minimis\w*": "minimize",
    r"normalis\w*": "normalize",
    r"initialis\w*": "initialize",
    r"regularis\w*": "regularize",
    r"recognis\w*": "recognize",
    r"centr(e|es|ed|ing)": "center",
    r"neighbours?": "neighbor",
    r"(un)?labell(ed|ing)": "labeled",
    r"behaviours?": "behavior",
}
# Phrases in which a retired word is the field's own.
ALLOWED = (
    "mini world",
    "tests/house",
    "world size",  # a function and two variables of torch.distributed
    "grid world",  # an environment of the textbooks
    "behaviour suite",  # Osband et al. 2020
    "journal storage",  # a class of Optuna's, like the next
    "journal file backend",
    "--picture",  # an option's second name, for those who look for it
)
STREAMS = ("torch", "numpy", "integer", "initializing", "child")  # methods of `Rng`
OPENERS = ("What", "How", "Of", "Who", "Whether", "Where", "Those")
BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "configs").glob("*.yaml"))]


ANY_RETIRED = re.compile(rf"\b(?:{'|'.join(f'(?:{word})' for word in RETIRED)})\b")


@cache
def retired_words(text: str) -> list[str]:
    """Return the retired words in a text or an identifier, each with the word to say instead."""
    plain = re.sub(r"([a-z])([A-Z])", r"\1 \2", text).replace("_", " ").lower()
    for phrase in ALLOWED:
        plain = plain.replace(phrase, "")
    if not ANY_RETIRED.search(plain):
        return []
    return [
        f"{match.group()}: say {instead}"
        for word, instead in RETIRED.items()
        for match in re.finditer(rf"\b(?:{word})\b", plain)
    ]


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a file defines or uses."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name


@each(PACKAGE_FILES)
def test_identifiers_and_texts_use_no_retired_word(file: Path) -> None:
    tree = tree_of(file)
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    streams = {argument.value for argument in random_streams(tree)}  # hashed into seeds: they keep their names
    found = {text: words for text in {*identifiers(tree), *texts} - streams if (words := retired_words(text))}
    assert not found


@each([*TEST_FILES, *BENCHMARKS])
def test_identifiers_of_tests_use_no_retired_word(file: Path) -> None:
    if file.parent.name not in ("golden", "house"):  # these speak of the old language
        assert not [name for name in identifiers(tree_of(file)) if retired_words(name)]


def random_streams(tree: ast.AST) -> Iterator[Any]:
    """Yield the string arguments of `rng.torch(...)`, `.numpy`, `.integer`, `.initializing` and `.child`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in STREAMS:
            yield from (part for argument in node.args for part in ast.walk(argument) if is_text(part))


def is_text(node: ast.AST) -> bool:
    """Return whether a node is a string constant."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@each(PAGES)
def test_pages_and_headers_of_configs_use_no_retired_word(page: Path) -> None:
    text = page.read_text()
    if page.suffix == ".yaml":
        text = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    assert not retired_words(re.sub(r"https?://\S+|\]\([^)]*\)", "", text))


@each([*PACKAGE_FILES, *TEST_FILES, *BENCHMARKS])
def test_docstrings_name_their_subject(file: Path) -> None:
    assert not [text for _, text in documented(tree_of(file)) if text.split(maxsplit=1)[0] in OPENERS]


def sections(model: Model, seen: set[Model]) -> Iterator[Model]:
    """Yield a config class and all config classes of its options, at any depth."""
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for section in (*models(field.annotation), *items(field.annotation)):
            yield from sections(section, seen)


def every_config() -> list[Model]:
    """Return every config class of the project."""
    seen: set[Model] = set()
    starts: list[Model] = [AgentRun, GeneratorRun]
    starts += [registry.config_class(family, name) for family in registry.FAMILIES for name in registry.names(family)]
    starts += configs_in("sandbox.networks", BackboneConfig, skip=["backbone"]).values()
    starts += configs_in("sandbox.optimizers", OptimizerConfig, skip=["choice"]).values()
    return [model for start in starts for model in sections(start, seen)]


@pytest.mark.parametrize("model", every_config(), ids=lambda model: model.__qualname__)
def test_every_option_is_described(model: type[BaseModel]) -> None:
    """The text stands on the field; `name` says which of several configs a section is, and needs none."""
    bare = [name for name, field in model.model_fields.items() if name != "name" and not field.description]
    assert not bare
