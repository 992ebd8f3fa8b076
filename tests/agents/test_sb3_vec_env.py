"""Our environments as Stable-Baselines3 sees them, against tapes and its own `DummyVecEnv`; its draws."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3.common.vec_env import DummyVecEnv

from sandbox.agents._sb3.global_rng import Generators
from sandbox.agents._sb3.vec_env import EnvAdapter
from sandbox.agents.sb3 import SB3Config
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.envs import id_of
from sandbox.envs.cart_pole import CartPoleConfig
from sandbox.interfaces.environment import Environment, spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.runs.build import build
from sandbox.runs.resolve import resolve

CPU = Compute(torch.device("cpu"))


class Tape:
    """Two environments that show their step; the first terminates after 2, the second is truncated after 3.

    Rewards are 3 and -5. With `lives`, the first one's ends are lost lives. With `both`, every end is both.
    """

    num_envs = 2

    def __init__(self, lives: bool = False, both: bool = False) -> None:
        self.now, self.lives, self.both = np.zeros(2, np.float32), lives, both

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        self.now[np.ones(2, bool) if options is None else options["reset_mask"]] = 0
        return self.now[:, None].copy(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        self.now += 1
        ended = self.now == [2, 3]
        terminated, truncated = ended & [True, self.both], ended & [self.both, True]
        infos = {"life_lost": terminated} if self.lives else {}
        return self.now[:, None].copy(), np.array([3.0, -5.0]), terminated, truncated, infos


def adapter(tape: Tape, reward_clip: float | None = None) -> EnvAdapter:
    made = EnvAdapter(Spec((1,), is_bytes=False, num_actions=2), 2, reward_clip, Rng(0))
    made.attach(tape, Rng(0))  # type: ignore[arg-type]
    return made


def test_the_tape() -> None:
    """The next first observation in the row, the true last one beside it, and which ends to bootstrap from."""
    env = adapter(Tape())
    assert env.reset().tolist() == [[0], [0]]
    rows = [env.step(np.zeros(2, np.int64)) for _ in range(3)]
    assert [row[0][:, 0].tolist() for row in rows] == [[1, 1], [0, 2], [1, 0]]
    assert [row[2].tolist() for row in rows] == [[False, False], [True, False], [False, True]]
    assert rows[0][3] == [{}, {}]
    assert rows[1][3] == [{"terminal_observation": np.array([2.0]), "TimeLimit.truncated": False}, {}]
    assert rows[2][3] == [{}, {"terminal_observation": np.array([3.0]), "TimeLimit.truncated": True}]
    assert [row[1].tolist() for row in rows] == 3 * [[3, -5]]


def test_an_end_that_is_both_is_not_bootstrapped_from() -> None:
    env = adapter(Tape(both=True))
    infos = [info for _ in range(3) for info in env.step(np.zeros(2, np.int64))[3] if info]
    assert [info["TimeLimit.truncated"] for info in infos] == [False, False]


def test_what_is_added_to_rewards_is_not_scored_nor_are_they_clipped() -> None:
    env = adapter(Tape(), reward_clip=1.0)
    for _ in range(3):
        rewards = env.step(np.zeros(2, np.int64))[1]
        assert rewards.tolist() == [1, -1]
        assert rewards.dtype == np.float32
        rewards += 100
    assert env.actor.metrics() == {"env/return": (6 - 15) / 2, "env/length": 2.5, "env/episodes": 2.0}


def test_a_lost_life_ends_an_episode_but_not_the_game() -> None:
    """When a life is lost, the episode ends and the game goes on."""
    env = adapter(Tape(lives=True))
    done = [env.step(np.zeros(2, np.int64))[2].tolist() for _ in range(6)]
    assert [first for first, _ in done] == [False, True] * 3
    assert env.actor.metrics() == {"env/return": -15.0, "env/length": 3.0, "env/episodes": 2.0}


def test_truncation_bootstraps_by_hand() -> None:
    """A2C's rewards where the second environment is cut: -5 + 0.9 * V(3); where the first ends: 3."""
    words = ["env.name=catch", "agent={name: sb3, options: {a2c: {gamma: 0.9, n_steps: 4}}}", "steps=1"]
    config = resolve([], [*words, "agent.stream.num_envs=2"]).agent
    assert isinstance(config, SB3Config)
    rng = Rng(0)
    agent = config.make(Spec((1,), is_bytes=False, num_actions=2), rng, CPU, NO_RUNS)
    batch = next(agent.begin(Tape(), rng))  # type: ignore[arg-type]
    with torch.no_grad():
        value = agent._model.policy.predict_values(torch.tensor([[3.0]])).item()
    np.testing.assert_allclose(batch["rewards"], [[3, -5], [3, -5], [3, -5 + 0.9 * value], [3, -5]], rtol=1e-6)
    assert batch["observations"][:, :, 0].tolist() == [[0, 0], [1, 1], [0, 2], [1, 0]]
    assert batch["episode_starts"].tolist() == [[1, 1], [0, 0], [1, 0], [0, 1]]


@pytest.mark.parametrize("steps", [500, 7])
def test_it_shows_what_their_own_adapter_shows(steps: int) -> None:
    """Three carts, 60 steps, all four answers."""
    config = CartPoleConfig(observe="features", max_steps=steps)
    source: Environment = config.make(3)
    ours = EnvAdapter(spec_of(source), 3, None, Rng(4))
    ours.attach(source, Rng(4))
    make = lambda: gymnasium.make(id_of("cart_pole"), observe="features", max_steps=steps)  # noqa: E731
    theirs = DummyVecEnv([make] * 3)
    theirs.seed(Rng(4).integer("env") % 2**31)
    assert np.array_equal(ours.reset(), theirs.reset())
    draw = np.random.default_rng(0)
    ends = 0
    for _ in range(60):
        actions = draw.integers(2, size=3)
        a, b = ours.step(actions), theirs.step(actions)
        for i in range(3):
            assert np.array_equal(a[i], b[i])
        for here, there in zip(a[3], b[3], strict=True):
            assert np.array_equal(here.get("terminal_observation", []), there.get("terminal_observation", []))
            assert here.get("TimeLimit.truncated", False) == there["TimeLimit.truncated"]
        ends += int(np.sum(a[2]))
    assert ends >= 3


def test_inside_the_global_generators_are_the_runs_own() -> None:
    def draws() -> list[float]:
        return [np.random.rand(), *np.random.permutation(5).tolist(), torch.rand(1).item()]

    np.random.seed(0), torch.manual_seed(0), np.random.randn()
    outside = np.random.get_state(), torch.get_rng_state()
    rng = Rng(7)
    generators = Generators(rng, CPU.device)
    with generators.in_place():
        first = draws()
    saved = rng.state_dict()
    with pytest.raises(ZeroDivisionError), generators.in_place():
        second = [draws(), 1 / 0]
    with generators.in_place():
        second = draws()
    after = np.random.get_state(), torch.get_rng_state()
    assert torch.equal(outside[1], after[1])
    assert str(outside[0]) == str(after[0])  # the saved normal number included
    rng.load_state_dict(saved)
    with generators.in_place():
        draws()
        assert draws() == second
    with Generators(Rng(7), CPU.device).in_place():
        assert draws() == first


def test_on_a_gpu_its_generator_is_the_runs_own_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The GPU's generator is a stand-in: a state that others have left, and that is theirs again afterwards."""
    there = {"state": torch.Generator().manual_seed(3).get_state()}
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: there["state"])
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: there.update(state=state))

    @contextmanager
    def fork_rng(devices: list[torch.device]) -> Iterator[None]:
        before = [torch.cuda.get_rng_state(device) for device in devices]
        yield
        for device, state in zip(devices, before, strict=True):
            torch.cuda.set_rng_state(state, device)

    monkeypatch.setattr(torch.random, "fork_rng", fork_rng)
    generators, own = Generators(Rng(0), CPU.device), torch.Generator().manual_seed(5)
    generators._cuda = {torch.device("cuda:0"): own}
    theirs, ours = there["state"], own.get_state()
    moved = torch.Generator().manual_seed(6).get_state()
    with generators.in_place():
        assert torch.equal(there["state"], ours)
        there["state"] = moved
    assert torch.equal(there["state"], theirs)
    assert torch.equal(own.get_state(), moved)


def test_a_policy_that_is_not_finite_is_an_error_that_helps() -> None:
    generators = Generators(Rng(0), CPU.device)
    lower = r"policy returns numbers that are not finite\. Take a lower learning rate"
    with pytest.raises(UserError, match=lower), generators.in_place():
        torch.distributions.Categorical(logits=torch.tensor([[torch.nan, 0.0]]))
    with pytest.raises(ValueError, match="another"), generators.in_place():
        raise ValueError("another")


@pytest.mark.parametrize("algorithm", ["ppo", "trpo", "a2c"])
def test_so_a_training_ends_with_it(algorithm: str, tmp_path: Path) -> None:
    words = ["env.name=cart_pole", "env.observe=features", f"agent={{name: sb3, algorithm: {algorithm}}}", "steps=99"]
    built = build(resolve([], [*words, "device=cpu", f"agent.options.{algorithm}.n_steps=16"]), tmp_path)
    run = built.ready_to_resume()
    for parameter in built.learner._model.policy.parameters():  # type: ignore[union-attr]
        parameter.data.fill_(torch.nan)
    with pytest.raises(UserError, match="not finite"):
        next(run.steps())
