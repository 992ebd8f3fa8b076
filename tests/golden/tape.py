"""The golden tape: shows that no number of this project came out differently after its code was changed.

    python tests/golden/tape.py record CHECKOUT OUT.json [--only PATTERN]
    python tests/golden/tape.py compare OLD.json NEW.json [--changed-on-purpose FILE]

README.md beside this file says how to use it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
Tape = dict[str, Any]


def record(checkout: Path, out: Path, only: str) -> int:
    """Record a checkout in a process of its own, which imports the code of that checkout and no other."""
    settings = {
        "PYTHONPATH": str(checkout),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "WANDB_MODE": "disabled",
        "MPLBACKEND": "Agg",
    }
    words = [sys.executable, str(Path(__file__).resolve()), "record-here", str(checkout), str(out), "--only", only]
    return subprocess.run(words, cwd=checkout, env={**os.environ, **settings}, check=False).returncode


def record_here(checkout: Path, out: Path, only: str) -> int:
    """Record the checkout that this process was started for."""
    import torch
    from houses import House

    import sandbox

    assert Path(sandbox.__file__).resolve().is_relative_to(checkout), f"{sandbox.__file__} is not in {checkout}"
    torch.set_num_threads(1)
    house, cases = House(checkout), _cases()
    for line in _uncovered(house, cases):
        print(f"no case for {line}", file=sys.stderr)
    tape: Tape = {"house": "new" if house.is_new else "old", "torch": torch.__version__, "cases": {}}
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _prepare(place)
        for name, case in cases.items():
            if fnmatchcase(name, only):
                start = time.perf_counter()
                tape["cases"][name] = result = _recorded(house, name, case, place)
                result["seconds"] = round(time.perf_counter() - start, 2)
                told = result.get("error", result.get("skipped", f"{len(result.get('digests', ()))} digests"))
                print(f"{result['seconds']:6.2f} s  {name}: {told.splitlines()[-1]}", file=sys.stderr, flush=True)
    out.write_text(json.dumps(tape, indent=0) + "\n", "utf-8")
    count = sum(len(result.get("digests", ())) for result in tape["cases"].values())
    failed = sum("error" in result for result in tape["cases"].values())
    print(f"{len(tape['cases'])} cases, {failed} failed, {count} digests, {time.perf_counter() - begun:.0f} s")
    return int(failed > 0)


def _cases() -> dict[str, dict[str, Any]]:
    """All cases by name, such as `dqn_overlap` or `env/catch`, with what they are like merged into them."""
    import yaml
    from training import merged

    cases: dict[str, dict[str, Any]] = {}
    for file in ("agents.yaml", "generators.yaml", "sources.yaml"):
        text = yaml.safe_load((_HERE / file).read_text("utf-8"))
        common = text.pop("common")
        for name, case in text.items():
            cases[name] = merged(cases[case.pop("like")] if "like" in case else common, case)
    return cases


def _uncovered(house: Any, cases: dict[str, dict[str, Any]]) -> list[str]:
    """Members of the checkout without a case."""
    from houses import FAMILIES
    from words import new_config

    seen: set[tuple[str, str]] = set()
    for case in cases.values():
        run = new_config(case["run"]) if house.is_new else case["run"]
        seen |= {(family, run[family]["name"]) for family in ("agent", "generator", "env", "data") if run.get(family)}
        seen |= {("wrapper", name) for wrapper in run.get("env", {}).get("wrappers", ()) for name in wrapper}
    every = [(family, name) for family in FAMILIES for name in house.members(family)]
    return [f"{family} {name}" for family, name in every if (family, name) not in seen]


def _prepare(place: Path) -> None:
    from sources import write_files

    (place / "runs").mkdir()
    (place / "configs").mkdir()
    write_files(place)


def _recorded(house: Any, name: str, case: dict[str, Any], place: Path) -> dict[str, Any]:
    """The result of one case: its digests, the reason why it was skipped, or how it failed."""
    from sources import record_data, record_world, write_demos
    from training import command, record_training
    from words import old_key

    if any(not os.environ.get(variable) for variable in case.get("needs", ())):
        return {"skipped": f"needs the environment variable {', '.join(case['needs'])}"}
    stem, runs = name.replace("/", "_"), place / "runs"
    try:
        if "first" in case:
            giver = _written(house, case["first"], place, f"{stem}_first")
            command(house, "train", str(giver), f"name={stem}_first", "--runs", str(runs), "--quiet")
        if case["run"].get("demos"):
            rest = {key: value for key, value in case["run"].items() if key != "demos"}
            write_demos(house, _written(house, rest, place, f"{stem}_demos"), place / case["run"]["demos"])
            case["run"]["demos"] = f"{{folder}}/{case['run']['demos']}"
        file = _written(house, case["run"], place, stem)
        if case["kind"] == "env":
            digests = record_world(house, file, case["steps"])
        elif case["kind"] == "data":
            digests = record_data(house, file, runs)
        else:
            is_agent = case["kind"] == "agent"
            digests = record_training(house, stem, file, runs, is_agent=is_agent, resume_to=case.get("resume_to"))
    except (Exception, SystemExit):
        return {"error": "\n".join(traceback.format_exc().strip().splitlines()[-4:])}
    return {"digests": {old_key(key): value for key, value in digests.items()} if house.is_new else digests}


def _written(house: Any, run: dict[str, Any], place: Path, stem: str) -> Path:
    """Write a run's config, in the words of the house, with {folder} as the folder of the prepared files."""
    import yaml
    from words import new_config

    file = place / "configs" / f"{stem}.yaml"
    run = json.loads(json.dumps(new_config(run) if house.is_new else run))  # so that no part is there twice: no aliases
    text = yaml.safe_dump(run, sort_keys=False)
    file.write_text(text.replace("{folder}", str(place)), "utf-8")
    return file


def compare(old: Tape, new: Tape, more: list[tuple[str, str, str]], only: str) -> int:
    """Print a line a case; 1 if any differs without a reason, else 0."""
    bad = 0
    names = [*old["cases"], *(name for name in new["cases"] if name not in old["cases"])]
    names = [name for name in names if fnmatchcase(name, only)]
    for name in names:
        line, is_good = _compared(name, old["cases"].get(name), new["cases"].get(name), more)
        bad += not is_good
        print(f"{name}: {line}")
    print(f"{len(names)} cases, {bad} not the same" if bad else f"{len(names)} cases, all the same")
    return int(bad > 0)


def _compared(
    name: str, old: dict[str, Any] | None, new: dict[str, Any] | None, more: list[tuple[str, str, str]]
) -> tuple[str, bool]:
    from words import reason

    why = reason(name, "*", more)
    if old is None or new is None:
        return ("extra" if old is None else "missing") + (f" (on purpose: {why})" if why else ""), why is not None
    for which, result in (("old", old), ("new", new)):
        if "error" in result:
            return f"failed in the {which} house: {result['error'].splitlines()[-1]}", False
    if "skipped" in old or "skipped" in new:
        both = "skipped" in old and "skipped" in new
        return f"skipped{'' if both else ' in one of the two'}", both
    before, after = old["digests"], new["digests"]
    keys = [*before, *(key for key in after if key not in before)]
    differing = [key for key in keys if before.get(key, [None])[0] != after.get(key, [None])[0]]
    reasons = {key: reason(name, key, more) for key in differing}
    unexplained = [key for key in differing if reasons[key] is None]
    if unexplained:
        first = unexplained[0]
        hints = [tape.get(first, [None, "missing"])[1] for tape in (before, after)]
        return f"{len(unexplained)} of {len(keys)} differ, first {first}: {hints[0]} -> {hints[1]}", False
    told = sorted({why for why in reasons.values() if why})
    return "same" + (f" (but {len(differing)} on purpose: {'; '.join(told)})" if told else ""), True


def main() -> int:
    """Run the command line; the exit code is 0 if all went well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("record", "record-here"):
        one = commands.add_parser(name, help="write the digests of a checkout's numbers" if name == "record" else None)
        one.add_argument("checkout", type=Path)
        one.add_argument("out", type=Path)
        one.add_argument("--only", default="*", help="cases whose names fit this pattern, such as 'gan*' or 'env/*'")
    two = commands.add_parser("compare", help="say which cases differ between two recordings")
    two.add_argument("old", type=Path)
    two.add_argument("new", type=Path)
    two.add_argument("--only", default="*", help="cases whose names fit this pattern")
    two.add_argument("--changed-on-purpose", type=Path, help="JSON: [[case pattern, key pattern, reason], ...]")
    arguments = parser.parse_args()
    if arguments.command == "compare":
        file = arguments.changed_on_purpose
        more = [tuple(row) for row in json.loads(file.read_text("utf-8"))] if file else []
        old, new = (json.loads(place.read_text("utf-8")) for place in (arguments.old, arguments.new))
        return compare(old, new, more, arguments.only)
    run = record if arguments.command == "record" else record_here
    return run(arguments.checkout.resolve(), arguments.out.resolve(), arguments.only)


if __name__ == "__main__":
    sys.exit(main())
