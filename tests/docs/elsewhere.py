"""Commands of the documentation that no test runs: why, and what is looked up instead."""

import ast
import importlib.util
import os
import re
import tomllib
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from docs.command_line import values
from docs.pages import ROOT, Command


class Entry(NamedTuple):
    """The reason why a command is not run, and a check of its words, which raises an error."""

    why: str
    check: Callable[[Sequence[str]], object]


def project() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def is_right(words: Sequence[str]) -> None:
    """Require a command of `sandbox` and options that exist."""
    values(words[1:])


def has_targets(words: Sequence[str]) -> None:
    """Require targets of the Makefile."""
    known = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
    wrong = [word for word in words[1:] if "=" not in word and word not in known]
    assert not wrong, f"the Makefile has no target {', '.join(wrong)}"


def has_script(words: Sequence[str]) -> None:
    """Require a script of this repository, and options that it takes."""
    calls = [node for node in ast.walk(ast.parse((ROOT / words[1]).read_text())) if isinstance(node, ast.Call)]
    taken = [call.args for call in calls if ast.unparse(call.func).endswith("add_argument")]
    known = {name.value for names in taken for name in names if isinstance(name, ast.Constant)}
    options = [word.partition("=")[0] for word in words[2:] if word.startswith("-")]
    wrong = [option for option in options if option not in known]
    assert not wrong, f"{words[1]} has no option {', '.join(wrong)}"
    takes_words = any(not str(name).startswith("-") for name in known)
    assert takes_words or not words[2:] or words[2].startswith("-"), f"{words[1]} takes options only"


def has_tests(words: Sequence[str]) -> None:
    """Require paths of tests, and a marker, that exist."""
    markers = [line.partition(":")[0] for line in project()["tool"]["pytest"]["ini_options"]["markers"]]
    rest = words[words.index("pytest") + 1 :]
    wrong = [word for word in rest if "/" in word and not (ROOT / word).exists()]
    wrong += [marker for option, marker in pairwise(rest) if option == "-m" and marker not in markers]
    assert not wrong, f"there is no {', '.join(wrong)}"


def has_extras(words: Sequence[str]) -> None:
    """Require extras of this package, and folders, that exist."""
    known = project()["project"]["optional-dependencies"]
    named = [found[1] for word in words if (found := re.match(r"(?:rl-sandbox|\.)\[([\w,-]+)\]", word))]
    wrong = [extra for extras in named for extra in extras.split(",") if extra not in known]
    assert not wrong, f"pyproject.toml has no extra {', '.join(wrong)}"
    missing = [word for word in words[1:] if "/" in word and "://" not in word and not (ROOT / word).exists()]
    assert not missing, f"there is no {', '.join(missing)}"


def is_run_by_uv(words: Sequence[str]) -> None:
    """Require extras, or a command of `sandbox`, that exist."""
    has_extras(words)
    if "sandbox" in words:
        is_right(words[words.index("sandbox") :])


def is_program(words: Sequence[str]) -> None:
    """Require a program of this repository."""
    assert os.access(ROOT / words[0], os.X_OK), f"there is no program {words[0]}"


def is_installed(words: Sequence[str]) -> None:
    """Require a program that is a Python package with dependencies of this one."""
    assert importlib.util.find_spec(words[0]) is not None, f"there is no package {words[0]}"


def nothing(words: Sequence[str]) -> None:
    """Require nothing."""


TABLE = {
    "sandbox sweep catch_dqn seed=0..9 name=far": Entry("it needs a Ray cluster", is_right),
    "sandbox push": Entry("it uploads to the Hugging Face Hub", is_right),
    "sandbox sweep catch_dqn seed=0..9 name=array": Entry("it is for a cluster with SLURM", is_right),
    "sbatch": Entry("it needs SLURM", nothing),
    "sandbox sweep search.yaml": Entry("it needs Optuna, which is an extra", is_right),
    "sandbox sweep runs/": Entry("it goes on with a sweep that was stopped", is_right),
    "sandbox --install-completion": Entry("it changes the settings of the shell", is_right),
    "make": Entry("it installs packages, or runs these tests", has_targets),
    ".ci/run": Entry("it runs these tests", is_program),
    "pytest": Entry("it runs these tests", has_tests),
    "python dqn_atari.py": Entry("it is a script of CleanRL", nothing),
    "python benchmarks/": Entry("it takes minutes", has_script),
    "torchrun": Entry("it starts several processes; tests/cli/test_torchrun.py runs it", nothing),
    "pip install": Entry("it changes the environment", has_extras),
    "uv": Entry("it changes the environment", is_run_by_uv),
    "wandb": Entry("it needs an account", is_installed),
    "git": Entry("it needs a network", nothing),
    "cd": Entry("it belongs to `git clone`", nothing),
    "source": Entry("it belongs to the shell", nothing),
    "export": Entry("it belongs to the shell", nothing),
}


def entry_of(command: Command) -> str | None:
    """Return the entry of the table that a command has, or None."""
    text = f"{' '.join(command.words)} "
    return next((key for key in TABLE if text.startswith(key if key.endswith("/") else f"{key} ")), None)
