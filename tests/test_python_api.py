"""The sandbox from Python."""

import base64
import io
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from PIL import Image

import sandbox
from sandbox.api.training import words_of
from sandbox.core.errors import UserError
from sandbox.core.progress import Progress
from sandbox.envs import id_of

SMALL = {
    "agent.backbone": {"name": "mlp", "hidden": [8]},
    "agent": {"stream": {"replay": {"capacity": 400, "warmup": 50}}},
    "steps": 300,
    "log_period": 100,
    "evaluate_period": 0,
    "logger.wandb": "off",
    "threads": 1,
}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_agent_is_trained_loaded_evaluated_and_acts() -> None:
    run = sandbox.train("catch_dqn", {**SMALL, "seed": 1, "name": "mine"}, quiet=True)
    assert (run.name, run.path) == ("mine", Path("runs/mine"))
    assert run.config.seed == 1
    assert repr(run) == "<run runs/mine, step 304>"
    steps, values = run.metrics["loss"]
    assert steps.tolist() == [104, 200, 304]
    assert values.dtype == np.float64
    again = sandbox.load("mine")
    assert again.evaluate(episodes=3) == sandbox.load("latest").evaluate(episodes=3)
    env = gymnasium.make(id_of("catch"))
    observation, _ = env.reset(seed=0)
    for _ in range(9):
        action = again.act(observation)
        observation, _, ended, _, _ = env.step(action)
    assert ended
    assert run.resume(steps=400, quiet=True).metrics["loss"].steps[-1] >= 400
    with pytest.raises(UserError, match="mine is an agent"):
        again.sample(3)


def test_the_actions_are_those_of_the_agent() -> None:
    run = sandbox.train("catch_dqn", SMALL, quiet=True)
    many = np.random.default_rng(0).integers(0, 256, (5, 1, 84, 84), np.uint8)
    state, expected = run.agent.initial_state(5), []
    for _ in range(3):
        actions, state = run.agent.act(many, state, explore=False)
        expected.append(actions.tolist())
    other = sandbox.load(run.path)
    assert [other.act(many).tolist() for _ in range(3)] == expected
    other.reset()
    assert [other.act(many).tolist() for _ in range(3)] == expected
    other.reset()
    assert [int(other.act(many[2])) for _ in range(3)] == [actions[2] for actions in expected]


@pytest.mark.parametrize(
    ("observations", "message"),
    [
        (
            np.zeros((84, 84), np.uint8),
            r"acts on an observation of shape \(1, 84, 84\), or on N of them; got \(84, 84",
        ),
        (np.zeros((3, 1, 84, 80), np.uint8), r"got \(3, 1, 84, 80\)"),
        (np.zeros((2, 3, 1, 84, 84), np.uint8), r"got \(2, 3, 1, 84, 84\)"),
        (np.zeros((1, 84, 84), np.float32), r"acts on bytes \(uint8, 0 to 255\), got float32"),
        ("text", r"got \(\)"),
        ([], r"got \(0,\)"),
    ],
)
def test_other_observations_are_refused(observations: object, message: str) -> None:
    run = sandbox.train("catch_random", {"steps": 8, "logger.wandb": "off"}, quiet=True)
    with pytest.raises(UserError, match=message):
        run.act(observations)


def test_another_number_of_observations_needs_a_new_beginning() -> None:
    run = sandbox.train("catch_random", {"steps": 8, "logger.wandb": "off"}, quiet=True)
    run.act(np.zeros((3, 1, 84, 84), np.uint8))
    with pytest.raises(UserError, match=r"acted on 3 observations, and now on 1; call reset\(\) first"):
        run.act(np.zeros((1, 84, 84), np.uint8))


def test_a_generator_is_trained_and_sampled() -> None:
    run = sandbox.train("digits_vae", {"steps": 20, "evaluate_period": 0, "logger.wandb": "off"}, quiet=True)
    samples = run.sample(4)
    assert samples.shape == (4, 1, 8, 8)
    assert samples.dtype == np.float32
    assert run.show(9)._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(UserError, match="is a generator"):
        run.act(samples)


def test_options_are_words() -> None:
    given = {
        "a.b": 3e-4,
        "c": {"d": [1, "x"]},
        "e": None,
        "f": True,
        "g": Path("x/y"),
        "h": np.float64(2),
        "i": "a b",
    }
    assert words_of(given) == [
        "a.b=0.0003",
        'c={"d": [1, "x"]}',
        "e=null",
        "f=true",
        'g="x/y"',
        "h=2.0",
        'i="a b"',
    ]
    with pytest.raises(UserError, match=r"^x: got a set. Options are numbers, texts, lists and mappings"):
        words_of({"x": {1}})


def test_a_mistake_is_one_error_with_every_line() -> None:
    with pytest.raises(UserError, match=r"2 mistakes:\n.*agent\.discnt.*\n.*steps"):
        sandbox.train("catch_dqn", {"agent.discnt": 0.9, "steps": -1})
    assert not Path("runs").exists()
    with pytest.raises(UserError, match="no runs in runs yet"):
        sandbox.load("nothing")


def test_members_of_ones_own(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no members at"):
        sandbox.add_members(tmp_path)


def test_importing_it_imports_nothing() -> None:
    code = (
        "import sys, sandbox\n"
        "heavy = {'torch', 'numpy', 'gymnasium', 'pydantic', 'typer'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert sandbox.__version__.count('.') == 2\n"
        "assert {'train', 'load', 'add_members'} <= set(dir(sandbox))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="module 'sandbox' has no attribute 'nothing'"):
        _ = sandbox.nothing  # type: ignore[attr-defined]


def test_training_in_a_thread(tmp_path: Path) -> None:
    """A notebook's or a server's thread cannot handle signals."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(sandbox.train, "catch_random", {"steps": 8, "logger.wandb": "off"}, quiet=True).result()
    assert run.name == "catch_random_s0"


def test_a_video_and_curves_show_themselves(tmp_path: Path) -> None:
    run = sandbox.train("catch_dqn", SMALL, quiet=True)
    video = run.video(episodes=2, seed=3, quiet=True)
    assert video.path == run.path / "videos" / "step_304_seed_3.mp4"
    assert len(video.returns) == 2
    video.save(tmp_path / "copy.mp4")
    assert base64.b64encode((tmp_path / "copy.mp4").read_bytes()).decode() in video._repr_html_()
    curves = run.plot("loss", "q_mean")
    assert curves.array.shape == (400, 600, 3)
    assert Image.open(io.BytesIO(curves._repr_png_())).size == (600, 400)
    with pytest.raises(UserError, match="has no metric 'nothing'; it has time, loss, "):
        run.plot("nothing")


def test_a_generator_has_no_video() -> None:
    run = sandbox.train("digits_rbm", {"steps": 4, "logger.wandb": "off"}, quiet=True)
    with pytest.raises(UserError, match="is a generator, which has no episodes for a video"):
        run.video(quiet=True)


def test_mistakes_in_options_are_not_said_to_come_from_a_command_line() -> None:
    with pytest.raises(UserError) as raised:
        sandbox.train("catch_dqn", {"agent.lr": 1, "steps": -1}, quiet=True)
    said = str(raised.value)
    assert "options: agent.lr=1: unknown option." in said
    assert "options: steps=-1: needs a value > 0, got -1." in said


def test_progress_is_shown_unless_it_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    monkeypatch.setattr(Progress, "start", lambda *_: started.append(1))
    run = sandbox.train("catch_dqn", SMALL, quiet=True)
    run.evaluate(episodes=1, quiet=True)
    assert not started
    run.evaluate(episodes=1)
    assert started == [1]


@pytest.mark.parametrize("value", [0, -1, 10**12, 1.5, "3", None, True])
def test_numbers_out_of_bounds_are_named(value: Any) -> None:
    agent = sandbox.train("catch_dqn", {**SMALL, "steps": 4, "name": "agent"}, quiet=True)
    generator = sandbox.train("digits_rbm", {"steps": 1, "name": "generator", "logger.wandb": "off"}, quiet=True)
    calls: list[tuple[str, Callable[[], object]]] = [
        ("episodes", lambda: agent.evaluate(episodes=value, quiet=True)),
        ("episodes", lambda: agent.video(episodes=value, quiet=True)),
        ("images", lambda: generator.evaluate(images=value, quiet=True)),
        ("count", lambda: generator.sample(value)),
        ("count", lambda: generator.show(value)),
    ]
    if value != 0:
        calls.append(("seed", lambda: agent.evaluate(seed=value, quiet=True)))
        calls.append(("seed", lambda: agent.video(seed=value, quiet=True)))
    for name, call in calls:
        with pytest.raises(UserError, match=rf"^{name} needs a whole number from \d to [\d_]+, got "):
            call()


def test_a_new_end_that_is_no_number_of_steps_is_named() -> None:
    run = sandbox.train("catch_dqn", {**SMALL, "steps": 4}, quiet=True)
    with pytest.raises(UserError, match=r"steps needs a whole number from 1 to 1_000_000_000_000, got -3"):
        run.resume(steps=-3, quiet=True)


def test_environments_of_ones_own_are_ids_of_gymnasium() -> None:
    sandbox.add_members(Path(__file__).parents[1] / "examples" / "my_members" / "my_members")
    env = gymnasium.make("Sandbox/WindyGrid-v0", observe="features")
    check_env(env.unwrapped)
    many = gymnasium.make_vec("Sandbox/WindyGrid-v0", num_envs=5)
    assert many.reset(seed=0)[0].shape == (5, 1, 84, 84)
    gymnasium.registry.pop("Sandbox/WindyGrid-v0")


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_stopped_training_stops_its_caller(
    number: int, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = sandbox.train("catch_dqn", {**SMALL, "steps": 40}, quiet=True)
    monkeypatch.setattr("sandbox.runs.start.train_run", lambda *_, **__: number)
    with pytest.raises(raised):
        sandbox.train("catch_dqn", {**SMALL, "name": "stopped"}, quiet=True)
    with pytest.raises(raised):
        run.resume(steps=80, quiet=True)
