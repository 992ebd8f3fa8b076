"""Trials of mutants: each runs its tests in a process that is forked after all imports and the collection of tests."""

import ast
import gc
import hashlib
import importlib
import json
import multiprocessing
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from mutation_points import Mutant, mutated

LIMIT = 60.0  # seconds of tests for one mutant
PATIENCE = 20.0  # seconds for one that hangs, beyond twice the time of its tests
OPTIONS = ["-q", "-s", "--tb=no", "-p", "no:cacheprovider", "-m", "not learning and not attack"]
FORK = multiprocessing.get_context("fork")
CONTRACTS = "tests/test_members.py"  # of all members, by name; tried last
UNKNOWN = {"seconds": 5.0}  # for tests that have not been measured
Tests = dict[str, dict[str, Any]]  # by the test's name: its seconds, the functions that it calls, its outcome


class Watch:
    """A plugin of pytest that notes each test's outcome, its time, and the functions that it calls."""

    def __init__(self, root: Path, trace: bool) -> None:
        self.prefix, self.trace = f"{root}/", trace
        self.tests: Tests = {}
        self.failed: list[str] = []
        self._calls: set[tuple[str, str]] = set()

    def pytest_configure(self) -> None:
        hypothesis = importlib.import_module("hypothesis")  # as late as this, or pytest could not rewrite its plugin
        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]  # a failure need not be made smaller
        hypothesis.settings.register_profile("mutants", phases=phases, database=None)
        hypothesis.settings.load_profile("mutants")

    def _called(self, frame: Any, event: str, argument: Any) -> None:
        call = (frame.f_code.co_filename, frame.f_code.co_qualname)
        if call not in self._calls and call[0].startswith(self.prefix) and not is_import(frame):
            self._calls.add(call)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        self._calls, start = set(), time.perf_counter()
        if self.trace:
            threading.settrace(self._called), sys.settrace(self._called)
        result = yield
        sys.settrace(None), threading.settrace(None)  # type: ignore[arg-type]
        own = {(str(Path(file).resolve()), name.split(".<locals>")[0]) for file, name in self._calls}
        calls = [f"{file.removeprefix(self.prefix)}:{name}" for file, name in own if file.startswith(self.prefix)]
        ok = item.nodeid not in self.failed
        self.tests[item.nodeid] = {"seconds": time.perf_counter() - start, "calls": sorted(calls), "ok": ok}
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


def is_import(frame: Any) -> bool:
    """Return whether a frame is part of an import, which a forked trial does not repeat."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def apart(function: Any, *arguments: Any, seconds: float | None = None) -> Any:
    """Run a function in a forked process; return its result, or None if it dies or takes longer."""
    receiver, sender = FORK.Pipe(duplex=False)

    def work(sender: Connection) -> None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1), os.dup2(null, 2)
        sender.send(function(*arguments))

    process = FORK.Process(target=work, args=(sender,))
    process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(seconds) else None
    except EOFError:
        return None
    finally:
        process.kill()
        process.join()


def run_tests(root: Path, tests: list[str], *plugins: object, trace: bool = False) -> tuple[int, list[str], Tests]:
    """Run tests of the copy in this process."""
    os.chdir(root)
    watch = Watch(root, trace)
    first = [] if trace or plugins else ["-x"]
    code = pytest.main([*OPTIONS, *first, f"--basetemp={root}_tmp", *tests], plugins=[watch, *plugins])
    return int(code), watch.failed, watch.tests


def trace_tests(root: Path, tests: list[str]) -> Tests:
    return run_tests(root, tests, trace=True)[2]


def learn_tests(root: Path, store: Path, paths: list[str]) -> Tests:
    """Return all tests below paths with their times and calls; files that have not changed are not run again."""
    known = json.loads(store.read_text()) if store.exists() else {}
    found = {}
    for path in paths:
        for file in sorted((root / path).rglob("test_*.py")) if (root / path).is_dir() else [root / path]:
            name = str(file.relative_to(root))
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            if known.get(name, {}).get("digest") != digest:
                known[name] = {"digest": digest, "tests": apart(trace_tests, root, [name]) or {}}
                store.write_text(json.dumps(known))
                print(f"  {name}: {len(known[name]['tests'])} tests", flush=True)
            found |= {test: facts for test, facts in known[name]["tests"].items() if facts["ok"]}
    return found


def function_of(mutant: Mutant, tests: Tests) -> str:
    """Return the function of a mutant, or "" if no test calls it: if it runs at most while its file is imported."""
    top = mutant.scope.split(".<locals>")[0]
    return top if any(f"{mutant.file}:{top}" in facts["calls"] for facts in tests.values()) else ""


def nearest(mutant: Mutant, tests: Tests) -> list[str]:
    """Return the tests to run, in order, at most a minute of them."""
    stem = Path(mutant.file).stem.strip("_")
    top = function_of(mutant, tests)

    def concerned(test: str, facts: dict[str, Any]) -> bool:
        if not top:
            own = f"[{stem}" in test or f"_{stem}.py" in test or "test_defaults.py" in test
            return own or any(call.startswith(f"{mutant.file}:") for call in facts["calls"])
        return f"{mutant.file}:{top}" in facts["calls"]

    chosen = [(f"/test_{stem}" not in test, facts["seconds"], test) for test, facts in tests.items()]
    total, order = 0.0, []
    for _, seconds, test in sorted(entry for entry in chosen if concerned(entry[2], tests[entry[2]])):
        total += seconds
        if total < LIMIT:
            order.append(test)
    return order


def module_of(file: str) -> str:
    name = ".".join(Path(file).with_suffix("").parts)
    return name if name.startswith("sandbox") else f"sandbox.{name}"


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, and the names from them."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    return {
        part for node in nodes for alias in node.names for part in (node.module or "", f"{node.module}.{alias.name}")
    }


def imports(root: Path) -> dict[str, set[str]]:
    """Return what each module of the package imports."""
    files = (file for folder in ("sandbox", "agents", "generators") for file in (root / folder).rglob("*.py"))
    return {module_of(str(file.relative_to(root))): imported(file) for file in files}


def independent(root: Path, file: str) -> list[str]:
    """Return the modules of the package that do not import a file, however indirectly."""
    used, tainted = imports(root), {module_of(file)}
    while more := {user for user, parts in used.items() if parts & tainted} - tainted:
        tainted |= more
    light = [module for module in used if not re.search(r"\.(cli|viewer|report|bench|logger|data|envs)\b|__", module)]
    return sorted(module for module in light if module not in tainted)


class Trials:
    """A plugin of pytest: in place of the session's tests it tries mutants of functions, each in a forked process."""

    def __init__(self, root: Path, mutants: list[Mutant], tests: Tests, sender: Connection) -> None:
        self._root, self._mutants, self._tests, self._sender = root, mutants, tests, sender
        self._failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.append(report.nodeid)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        for file in {mutant.file for mutant in self._mutants}:
            importlib.import_module(module_of(file))
        functions: dict[tuple[str, str], list[FunctionType]] = {}
        for found in gc.get_objects():
            if type(found) is FunctionType and found.__code__.co_filename.startswith(f"{self._root}/"):
                file = str(Path(found.__code__.co_filename).resolve().relative_to(self._root))
                functions.setdefault((file, found.__code__.co_qualname), []).append(found)
        gc.collect(), gc.freeze()  # so that forked processes share its pages
        for mutant in self._mutants:
            order = [items[name] for name in nearest(mutant, self._tests) if name in items]
            order += [item for name, item in items.items() if is_contract(name, mutant)]
            live = functions.get((mutant.file, mutant.scope.split(".<locals>")[0]), [])
            seconds = sum(self._tests.get(item.nodeid, UNKNOWN)["seconds"] for item in order)
            by = apart(self._try, mutant, live, order, seconds=PATIENCE + 2 * seconds) if order else []
            report(self._sender, mutant, ["hangs or crashes"] if by is None else by, len(order))
        return True

    def _try(self, mutant: Mutant, live: list[FunctionType], order: list[pytest.Item]) -> list[str]:
        text = mutated((self._root / mutant.file).read_text(), mutant.operator, mutant.node, mutant.index)
        top, end = mutant.scope.split(".<locals>")[0], time.perf_counter() + 2 * LIMIT
        for code in codes(compile(text, str(self._root / mutant.file), "exec")):
            if code.co_qualname == top:
                for function in live:
                    function.__code__ = code
        for item, following in zip(order, [*order[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed or time.perf_counter() > end:
                break
        return self._failed


def is_contract(test: str, mutant: Mutant) -> bool:
    """Return whether a test is one of a contract that a member keeps, and the mutant one of that member."""
    stem = re.escape(Path(mutant.file).stem)
    return test.startswith(CONTRACTS) and bool(re.search(rf"[\[-]{stem}\]$", test))


def codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and all within it."""
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from codes(part)


def report(sender: Connection, mutant: Mutant, by: list[str], count: int) -> None:
    sender.send((mutant, "killed" if by else "survived", by[0] if by else f"{count} tests"))


def try_functions(root: Path, mutants: list[Mutant], tests: Tests, sender: Connection) -> None:
    """Try mutants within functions of one package: only code objects are replaced, and nothing is imported again."""
    files = sorted({name.split("::")[0] for mutant in mutants for name in nearest(mutant, tests)})
    run_tests(root, [*files, CONTRACTS], Trials(root, mutants, tests, sender))


def try_module(root: Path, mutants: list[Mutant], tests: Tests, sender: Connection) -> None:
    """Try mutants of one file outside functions: the file is changed, and imported again with all that imports it."""
    for module in independent(root, mutants[0].file):
        importlib.import_module(module)
    sys.dont_write_bytecode = True
    for mutant in mutants:
        order, path = nearest(mutant, tests), root / mutant.file
        source, times = path.read_text(), path.stat()
        try:
            path.write_text(mutated(source, mutant.operator, mutant.node, mutant.index))
            patience = PATIENCE + 2 * sum(tests[test]["seconds"] for test in order)
            result = apart(run_tests, root, order, seconds=patience) if order else (0, [], {})
            if result is not None and result[0] in (0, 5) and not path.stem.startswith("_"):
                contracts = [CONTRACTS, f"-k={path.stem}"]
                result = apart(run_tests, root, contracts, seconds=patience + LIMIT)
        finally:
            path.write_text(source)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        by = ["hangs or crashes"] if result is None else result[1]
        report(sender, mutant, by or (["cannot be imported"] if result and result[0] not in (0, 5) else []), len(order))
