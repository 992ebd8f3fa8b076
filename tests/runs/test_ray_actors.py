"""Actors in processes of Ray: they fill the replay, may die, and begin again when a run is resumed."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from sandbox.core.errors import UserError
from sandbox.runs.build import build
from sandbox.runs.resolve import resolve
from sandbox.streams.remote_experience import RemoteExperience
from sandbox.training.loop import Run

os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # read when Ray is imported, as in `ray_actors`
ray = pytest.importorskip("ray", reason="Ray is not installed")

WORDS = [
    "env.observe=features",
    "agent.backbone={name: mlp, hidden: [8]}",
    "agent.frame_stack=1",
    "agent.stream.replay={num_envs: 4, capacity: 4000, warmup: 100, update_period: 8}",
    "agent.stream.actors={count: 2, length: 8, weights_period: 5}",
]


@pytest.fixture(scope="module", autouse=True)
def no_ray_afterwards() -> Iterator[None]:
    yield
    ray.shutdown()


def ready(*words: str, config: str = "catch_dqn") -> Run:
    return build(resolve([config], [*WORDS, *words]), Path("runs")).ready_to_resume()


def taken(run: Run, count: int) -> None:
    """Make some updates."""
    steps = run.steps()
    for _ in range(count):
        next(steps)


def kill_an_actor() -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for process in psutil.Process().children(recursive=True):
            if any("RemoteActor" in word for word in process.cmdline()):
                os.kill(process.pid, signal.SIGKILL)
                return
    raise AssertionError("there is no actor")


@pytest.mark.attack
@pytest.mark.filterwarnings("ignore")
def test_actors_fill_the_replay_may_die_and_a_checkpoint_holds_all_but_them() -> None:
    run = ready()
    assert isinstance(run.stream, RemoteExperience)
    taken(run, 20)
    first = run.stream.step
    assert first >= 100 + 19 * 8
    found = run.stream.metrics()
    assert found["exact"] == 0
    assert 0 <= found["actors/staleness"] <= 20
    assert found["actors/batches_per_second"] > 0
    assert found["env/length"] == 9  # an episode of Catch: none is cut

    while (run.stream.replay.state_dict()["written"] < 20).any():  # one may start later than the other
        taken(run, 1)
    kill_an_actor()
    while not run.stream.metrics()["actors/restarts"]:
        taken(run, 1)
    taken(run, 20)
    replay = run.stream.replay.state_dict()
    ages, last = replay["age"], replay["is_last"]
    for env in range(4):
        used = min(int(replay["written"][env]), ages.shape[1])
        follows = np.diff(ages[env, :used]) == 1
        assert (follows | last[env, : used - 1]).all()  # an episode ends with a last row, also where an actor died

    state = {name: part.state_dict() for name, part in run.stream.parts().items()}
    other = ready("agent.stream.actors.count=4")
    for name, part in other.stream.parts().items():
        part.load_state_dict(state[name])
    assert other.stream.step == run.stream.step
    np.testing.assert_array_equal(other.stream.replay.state_dict()["age"], ages)
    taken(other, 5)
    assert other.stream.step >= run.stream.step + 4 * 8


@pytest.mark.attack
@pytest.mark.filterwarnings("ignore")
def test_updates_and_steps_keep_their_ratio_and_neither_side_runs_away() -> None:
    run = ready()
    taken(run, 10)
    time.sleep(1)
    taken(run, 1)
    newest = int(run.stream.replay.state_dict()["written"].sum())
    assert run.stream.step <= newest <= 100 + 11 * 8 + 2 * 2 * 8 * 2 * 2  # two orders of two actors, and last rows


def test_an_address_without_a_cluster_is_refused_within_seconds() -> None:
    began = time.monotonic()
    with pytest.raises(UserError, match=r"^agent.stream.actors.address=127.0.0.1:9: there is no Ray cluster \("):
        ready("agent.stream.actors.address=127.0.0.1:9")
    assert time.monotonic() - began < 20
    with pytest.raises(UserError) as caught:
        ready("agent.stream.actors.address=nowhere")
    assert str(caught.value) == "agent.stream.actors.address=nowhere: needs HOST:PORT, such as 10.0.0.1:6379"


def test_environments_are_divided_equally() -> None:
    with pytest.raises(UserError, match=r"3 actors cannot have equal shares of replay.num_envs=4; set it to 6"):
        resolve(["catch_dqn"], [*WORDS, "agent.stream.actors.count=3"])
