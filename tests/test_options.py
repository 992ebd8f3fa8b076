"""Every numeric option has bounds, and no value of one takes the memory or the day."""

import random
from collections import Counter

import pytest
import torch
from launched import Launched
from option_walk import BYTES, SECONDS, attempt, cases
from waiting import until

from sandbox.config.schema import items, models, numbers
from sandbox.core.errors import UserError
from sandbox.runs import registry
from sandbox.runs.build import build_new
from sandbox.runs.config import RUN_KINDS
from sandbox.runs.resolve import resolve

FAMILIES = ("agents", "generators", "envs", "data")


def unbounded(model, seen):
    """Yield the numeric options of a config class, and of those within, that lack a bound."""
    if model in seen:
        return
    seen.add(model)
    for name, field in model.model_fields.items():
        for section in (*models(field.annotation), *items(field.annotation)):
            yield from unbounded(section, seen)
        if any(None in (number.low, number.high) for number in numbers(field.annotation, field.metadata)):
            yield f"{model.__module__}.{model.__name__}.{name}"


def test_every_number_has_both_bounds():
    seen = set()
    roots = [registry.config_class(family, name) for family in FAMILIES for name in registry.names(family)]
    assert [option for model in (*roots, *RUN_KINDS) for option in unbounded(model, seen)] == []
    assert len(seen) > 100


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("threads=100000", "needs a value <= 1_024, got 100000."),
        ("threads=-1", "needs a value >= 0, got -1."),
        ("agent.stream.batch_size=100000000000", "needs a value <= 65_536, got 100000000000."),
        ("agent.frame_stack=1000000", "needs a value <= 64, got 1000000."),
        ("agent.stream.replay.num_envs=1000000000", "needs a value <= 16_384, got 1000000000."),
        ("agent.optimizer.lr=.nan", "needs a finite number, got .nan."),
        ("agent.optimizer.lr=1e39", "needs a value <= 3e+38, got 1.0e+39."),
        ("seed=99999999999999999999", "needs a value <= 4_294_967_295, got 99999999999999999999."),
        ("steps=1000000000000000000", "needs a value <= 1_000_000_000_000, got 1000000000000000000."),
        ("name=latest", "`latest` stands for the newest run; choose another name."),
        ("name=report.html", "report.html is the name of a file; leave the ending out."),
        ("encoder_from=''", "needs text of at least 1 characters, got ''."),
    ],
)
def test_a_value_out_of_bounds_is_one_message(option, message):
    with pytest.raises(UserError) as refused:
        resolve(["catch_dqn"], [option])
    assert str(refused.value) == f"command line: {option}: {message}"


SMALL = ["agent.name=dqn", "env={name: catch, observe: features}", "steps=100", "device=cpu"]


def refusal(words, tmp_path):
    with pytest.raises(UserError) as refused:
        build_new(resolve([], words), tmp_path).ready_to_begin()
    return str(refused.value)


def test_what_a_run_needs_all_together_is_compared_with_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("sandbox.runs.memory.memory", lambda device: 2_000_000_000)
    words = [*SMALL, "agent.backbone={name: mlp, hidden: [32]}", "agent.stream.replay.capacity=20_000_000"]
    assert refusal(words, tmp_path) == (
        "not enough memory: this run needs about 4.9 GB "
        "(agent.stream.replay.capacity 4.9 GB), this machine has 2.0 GB. "
        "Lower agent.stream.replay.capacity=20_000_000."
    )


def test_a_network_without_room_is_refused_before_it_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr("sandbox.runs.memory.memory", lambda device: 20_000_000)
    said = refusal([*SMALL, "agent.backbone={name: mlp, hidden: [8, 2048, 2048]}"], tmp_path)
    assert said == (
        "not enough memory: this needs more than 67.4 MB (a tensor of 2048x2048 among it), and there are 20.0 MB. "
        "Lower agent.backbone.hidden=[8,2048,2048]."
    )


@pytest.mark.parametrize(
    "error", [MemoryError("x"), OverflowError("x"), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")]
)
def test_errors_of_allocation_become_one_message(error, tmp_path, monkeypatch):
    def fail(*arguments):
        raise error

    monkeypatch.setattr("sandbox.agents.dqn.QNetwork", fail)
    said = refusal([*SMALL, "agent.backbone={name: mlp, hidden: [2000]}"], tmp_path)
    assert said == f"not enough memory: {error}. Lower agent.backbone.hidden=[2000]."


def test_other_errors_stay_as_they_are(tmp_path, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("a mistake")

    monkeypatch.setattr("sandbox.agents.dqn.QNetwork", fail)
    with pytest.raises(RuntimeError, match="a mistake"):
        build_new(resolve([], SMALL), tmp_path)


@pytest.mark.attack
@pytest.mark.timeout(3_600)
def test_every_value_of_every_option_builds_or_is_refused(tmp_path, capsys):
    """In one message, within the time of the processor and the memory that `option_walk` names."""
    torch.set_num_threads(1)
    wrong, built, refused = [], 0, 0
    for case in cases():
        try:
            outcome = attempt(case, tmp_path)
        except Exception as error:
            wrong.append((case, repr(error)))
            continue
        built, refused = built + (outcome.message is None), refused + (outcome.message is not None)
        if outcome.seconds > SECONDS or outcome.bytes > BYTES or "\n" in (outcome.message or ""):
            wrong.append((case, outcome))
    with capsys.disabled():
        print(f"\n{built} values built, {refused} were refused")
    assert not wrong, "\n".join(map(str, wrong))
    assert min(built, refused) > 500


def command(words, folder):
    """Run `sandbox train` for at most 30 seconds; return its exit code, None if it trained on, and its errors."""
    process = Launched(folder, "train", *words)
    try:
        until(process.ended, seconds=30)
    except AssertionError:
        process.kill()
        return None, ""
    code, _, said = process.wait()
    return code, said


@pytest.mark.attack
@pytest.mark.timeout(7_200)
def test_values_on_the_command_line_leave_no_traceback_and_no_folder(tmp_path, capsys):
    short = ["threads=1", "device=cpu", "logger.wandb=off", "checkpoint_period=0"]
    wrong, codes = [], Counter()
    for number, case in enumerate(random.Random(7).sample(list(cases()), 200)):
        name = f"r{number}"
        steps = [] if case.option == "steps" else ["steps=16"]
        code, said = command([*steps, *short, f"name={name}", *case.words, case.override], tmp_path)
        codes[code] += 1
        made = (tmp_path / "runs" / name).exists()
        if code not in (0, 2, None) or "Traceback" in said or (code == 2 and made and "not finite" not in said):
            wrong.append((case, code, said))
    with capsys.disabled():
        print(f"\nexit codes, None after 30 seconds: {dict(codes)}")
    assert not wrong, "\n".join(map(str, wrong))
