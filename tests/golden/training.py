"""Records a training run: its log, its last checkpoint, and what the restored learner does."""

import contextlib
import io
import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from digests import Digest, digest, leaves, read_parts
from houses import House

_COPIES, _SEED, _ACTIONS, _IMAGES = 4, 5, 20, 6
_PARTS_LEFT_OUT = {"config", "logger"}  # words, and a size and a time
_METRICS_LEFT_OUT = ("time",)  # `time`, `time/...`
_SCORES_LEFT_OUT = {"run", "fcd_classifier"}  # names


def command(house: House, *words: str) -> str:
    """Run a command line of the checkout in this process and return what it prints.

    Raises:
        RuntimeError: with its last lines, if it fails.
    """
    out, err, arguments = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["sandbox", *words]
    code: Any = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            house.door("main")()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = arguments
    if code:
        raise RuntimeError(f"sandbox {words[0]} ended with {code}: {err.getvalue().strip()[-600:]}")
    return out.getvalue()


def record_training(
    house: House, name: str, config_file: Path, runs: Path, *, is_agent: bool, resume_to: int | None
) -> dict[str, Digest]:
    """Train, go on to step `resume_to` if there is one, evaluate, restore and ask."""
    keeps = "keep_replay" in (house.checkout / "sandbox/runs/config.py").read_text() if house.is_new else False
    whole = ["keep_replay=true"] if keeps and is_agent else []
    command(house, "train", str(config_file), f"name={name}", *whole, "--runs", str(runs), "--quiet")
    folder = runs / name
    if resume_to is not None:
        command(house, "resume", str(folder), "--steps", str(resume_to), "--quiet")
    result = _metrics(folder / "metrics.jsonl")
    newest = max((folder / "checkpoints").glob("step_*"))
    for part, tree in read_parts(newest):
        if part not in _PARTS_LEFT_OUT:
            result |= {f"state/{part}{path}": digest(value) for path, value in leaves(tree)}
    much = ("--episodes", "3") if is_agent else ("--images", "40")
    scores = json.loads(command(house, "evaluate", name, "--runs", str(runs), *much, "--seed", "11", "--json"))
    for key, value in (scores[0] if isinstance(scores, list) else scores).items():
        if key not in _SCORES_LEFT_OUT and not key.endswith("_missing"):
            result[f"eval/{key}"] = digest(value)
    built, _ = house.door("restore")(house.door("RunFolder")(folder))
    learner = house.need("built.learner", built)
    if is_agent:
        return result | _actions(house, learner, built.config.env.make)
    return result | _asked(house, learner, house.need("built.source", built))


def _metrics(file: Path) -> dict[str, Digest]:
    result: dict[str, Digest] = {}
    for number, line in enumerate(file.read_text("utf-8").splitlines()):
        for metric, value in json.loads(line).items():
            if metric.partition("/")[0] not in _METRICS_LEFT_OUT:
                result[f"metrics/{number:03d}/{metric}"] = digest(value)
    return result


def _actions(house: House, agent: Any, make: Callable[[int], Any]) -> dict[str, Digest]:
    """Play greedily, then exploring, with the state carried along from action to action."""
    result: dict[str, Digest] = {}
    for way, explore in (("greedy", False), ("exploring", True)):
        env = make(_COPIES)
        observations, _ = env.reset(seed=_SEED)
        state = house.need("agent.initial_state", agent)(_COPIES)
        for step in range(_ACTIONS):
            actions, state = house.need("agent.act", agent)(observations, state, explore=explore)
            result[f"act/{way} {step:02d}"] = digest(actions)
            observations, _, terminated, truncated, _ = env.step(actions)
            if (ended := terminated | truncated).any():
                observations, _ = env.reset(options={"reset_mask": ended})
        result |= {f"act/{way} state{path}": digest(value) for path, value in leaves(state)}
    return result


def _asked(house: House, generator: Any, source: Any) -> dict[str, Digest]:
    """Ask for everything that the generator can be asked for, in a fixed order."""
    images, sources = source.test[:_IMAGES], source.test_sources
    labels = torch.arange(_IMAGES) % 2
    result: dict[str, Digest] = {}

    def ask(name: str, *arguments: Any, take: int = 0) -> Any:
        method = house.get(f"generator.{name}", generator)
        if method is None:
            return None
        try:
            answer = method(*arguments)
            answer = list(itertools.islice(answer, take)) if take else answer
        except Exception as refusal:  # what it says of it may be put into other words
            if not type(refusal).__name__.endswith("Error"):
                raise
            result[f"ask/{name}/refused"] = digest(True)
            return None
        result.update({f"ask/{name}{path}": digest(value) for path, value in leaves(answer)})
        return answer

    ask("sample", _IMAGES)
    ask("preview", _IMAGES)
    codes = ask("latents", _IMAGES)
    if codes is not None:
        ask("decode", codes)
    ask("num_classes")
    ask("sample_of", labels)
    count = ask("num_codes")
    if count is not None:
        ask("steer", labels, torch.linspace(-1, 1, _IMAGES * count).view(_IMAGES, count))
    ask("cluster", images)
    if (encoded := ask("encode", images)) is not None and codes is None:
        ask("decode", encoded)
    ask("reconstruct", images)
    ask("bound", images)
    ask("log_likelihood", images)
    ask("pseudo_log_likelihood", images)
    ask("classify", images)
    ask("filters", _IMAGES)
    ask("recall", images)
    ask("memories")
    ask("recalling", images, take=3)
    ask("dreaming", _IMAGES, take=3)
    ask("damage", images, torch.Generator().manual_seed(_SEED))
    if sources is not None:
        ask("translate", sources[:_IMAGES])
        ask("translate_back", images)
    return result


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Merge `over` into `base`, deeply; a section that names another member replaces the one before."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and value.get("name", old.get("name")) == old.get("name"):
            value = merged(old, value)
        result[key] = value
    return result
