"""Mutation testing: change one operator or number at a time, and check whether a test fails.

make mutants                                            # 200 mutants in each of five packages, about an hour
python benchmarks/mutants.py ops buffers --count 50 --seed 1
python benchmarks/mutants.py --again survivors.json     # only those that survived before

Mutants are drawn at random among the changes of cosmic-ray's operators (see mutation_points.py). Docstrings, type
hints, raised errors, texts and rendering code are left out. They run in a copy of the repository.

First, all tests of the package run once without a mutant. This shows which functions each test calls, and how long it
takes. Then each mutant runs the tests that call its function, until one fails or a minute is over: first those of the
mirrored test file, and fast ones before slow ones. A mutant outside functions, or in one that runs only while its file
is imported, runs all tests that call any function of its file.

tests/mutants.md lists equivalent mutants: those that behave the same for every input that can occur.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import gymnasium  # noqa: F401, imported before the forks
import torch
from mutant_trials import FORK, Tests, function_of, learn_tests, try_functions, try_module
from mutation_points import DRAWING, Mutant, draw

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "ops": ("sandbox/ops", ["tests/ops"]),
    "buffers": ("sandbox/buffers", ["tests/buffers", "tests/streams"]),
    "streams": ("sandbox/streams", ["tests/streams", "tests/test_defaults.py"]),
    "agents": ("agents", ["tests/agents", "tests/test_defaults.py"]),
    "generators": ("generators", ["tests/generators", "tests/test_defaults.py"]),
}
EQUIVALENT = ROOT / "tests" / "mutants.md"
COPIED = ("sandbox", "agents", "envs", "generators", "configs", "tests", "docs", "pyproject.toml", "README.md")


def batches(mutants: list[Mutant], tests: Tests) -> Iterator[tuple[Callable[..., None], list[Mutant]]]:
    """Yield mutants with the way to try them: all those within functions at once, the others file by file."""
    if inside := [mutant for mutant in mutants if function_of(mutant, tests)]:
        yield try_functions, inside
    for _, outside in groupby((mutant for mutant in sorted(mutants, key=attrgetter("file"))), attrgetter("file")):
        if rest := [mutant for mutant in outside if not function_of(mutant, tests)]:
            yield try_module, rest


def equivalents() -> set[str]:
    """Return the names of the mutants that are declared equivalent."""
    return set(re.findall(r"^\| `([0-9a-f]{10})`", EQUIVALENT.read_text(), re.M)) if EQUIVALENT.exists() else set()


def copy_of_the_repository(folder: Path) -> Path:
    root = folder / "copy"
    shutil.rmtree(root, ignore_errors=True)
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        root.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, root / name, **{"symlinks": True} if copy is shutil.copytree else {})
    sys.path[:] = [str(root), *(entry for entry in sys.path if entry != str(ROOT))]
    os.environ.update(PYTHONPATH=str(root), WANDB_MODE="disabled")
    return root


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", default=list(PACKAGES), choices=[*PACKAGES, []])
    parser.add_argument("--count", type=int, default=200, help="mutants of each package")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", type=Path, help="a survivors.json: run these only")
    parser.add_argument("--tests", type=Path, help="where times and calls of tests are kept between runs")
    parser.add_argument("--folder", type=Path, help="where the copy, survivors.json and killed.json go")
    options = parser.parse_args()
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="mutants-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.nice(10)
    torch.set_num_threads(1)
    root, declared = copy_of_the_repository(folder), equivalents()
    before = {old["id"] for old in json.loads(options.again.read_text())} if options.again else None
    outcomes: dict[str, list[dict[str, Any]]] = {"killed": [], "survived": [], "equivalent": []}
    for package in options.packages:
        start, (source, paths) = time.perf_counter(), PACKAGES[package]
        files = sorted(str(file.relative_to(root)) for file in (root / source).rglob("*.py"))
        files = [file for file in files if "__init__" not in file and not DRAWING.search(file)]
        drawn = draw(root, package, files, options.count, options.seed)
        chosen = [mutant for mutant in drawn if before is None or mutant.id in before]
        store = options.tests or folder / "tests.json"
        tests = learn_tests(root, store, paths)
        counts: Counter[str] = Counter()
        for work, mutants in batches(chosen, tests):
            receiver, sender = FORK.Pipe(duplex=False)
            worker = FORK.Process(target=work, args=(root, mutants, tests, sender))
            worker.start()
            sender.close()
            for _ in mutants:
                mutant, outcome, by = receiver.recv()
                outcome = "equivalent" if outcome == "survived" and mutant.id in declared else outcome
                outcomes[outcome].append(mutant.record() | {"package": package, "by": by})
                counts[outcome] += 1
                (folder / f"{outcome}.json").write_text(json.dumps(outcomes[outcome], indent=1))
                if outcome == "survived":
                    print(f"  {mutant.id} {mutant.file}:{mutant.line} {mutant.before}  =>  {mutant.after}", flush=True)
                elif counts.total() % 20 == 0:
                    print(f"  {counts.total()} of {len(chosen)}", flush=True)
            worker.join()
        killed = counts["killed"] / max(counts["killed"] + counts["survived"], 1)
        print(
            f"{package}: {counts.total()} of {len(drawn)} drawn, {counts['killed']} killed, {counts['equivalent']} "
            f"equivalent, {counts['survived']} survived: {killed:.1%} in {time.perf_counter() - start:.0f} s",
            flush=True,
        )
    print(f"The lists are in {folder}.")


if __name__ == "__main__":
    main()
