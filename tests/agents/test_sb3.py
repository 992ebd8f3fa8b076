"""Stable-Baselines3's algorithms in our loop: the same as in theirs, resumed exactly, at work everywhere."""

import json
from operator import attrgetter
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from stable_baselines3.common.vec_env import DummyVecEnv

from sandbox.agents._sb3.global_rng import Generators
from sandbox.agents._sb3.options import ACTION_KINDS, ALGORITHMS, keywords
from sandbox.agents.sb3 import SB3Config
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.envs import id_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import reset_where
from sandbox.runs.build import BuiltRun, build
from sandbox.runs.resolve import resolve
from sandbox.storage.checkpoint import Checkpoints
from sandbox.training.loop import Run

CPU = Compute(torch.device("cpu"))
DECAY = "{start: 1e-2, end: 0, steps: 200}"
REPLAY = f"learning_rate: {DECAY}, buffer_size: 90, learning_starts: 18, batch_size: 8, target_update_interval: 12"
OFF_POLICY = f"learning_rate: {DECAY}, buffer_size: 90, learning_starts: 18, batch_size: 8, train_freq: 2"
SMALL = "policy_kwargs: {net_arch: [8]}"
ROLLOUT = f"learning_rate: {DECAY}, n_steps: 16"
OPTIONS = {
    "a2c": f"{{{ROLLOUT}}}",
    "crossq": f"{{{OFF_POLICY}, n_steps: 2, {SMALL}}}",
    "ddpg": f"{{{OFF_POLICY}, action_noise: 0.1, {SMALL}}}",
    "dqn": f"{{{REPLAY}, train_freq: 2, gradient_steps: -1, exploration_fraction: 0.5, {SMALL}}}",
    "ppo": f"{{{ROLLOUT}, batch_size: 16, n_epochs: 2, clip_range: {{start: 0.3, end: 0.1, steps: 300}}}}",
    "qrdqn": f"{{{REPLAY}, train_freq: 2, n_steps: 3, {SMALL}}}",
    "recurrent_ppo": f"{{{ROLLOUT}, batch_size: 16, n_epochs: 2, policy_kwargs: {{lstm_hidden_size: 8}}}}",
    "sac": f"{{{OFF_POLICY}, {SMALL}}}",
    "td3": f"{{{OFF_POLICY}, action_noise: 0.1, {SMALL}}}",
    "tqc": f"{{{OFF_POLICY}, ent_coef: 0.1, {SMALL}}}",
    "trpo": f"{{{ROLLOUT}, batch_size: 16, n_critic_updates: 2}}",
}
BOX = [name for name, kinds in ACTION_KINDS.items() if kinds == ("Box",)]
SLOW = ("crossq", "qrdqn", "recurrent_ppo", "td3", "tqc", "trpo")  # their longer tests are an attack
FEW = [pytest.param(name, marks=pytest.mark.attack if name in SLOW else []) for name in ALGORITHMS]
PENDULUM = "env={name: gym, id: Pendulum-v1, options: {max_episode_steps: 200}}"
SHORT_PENDULUM = PENDULUM.replace("200", "15")
CART_POLE = "env={name: cart_pole, observe: features, max_steps: 15}"  # episodes that terminate, and that are truncated


def start(algorithm: str, folder: Path, *words: str, env: str = "", seed: int = 0) -> tuple[BuiltRun, Run]:
    env = env or (SHORT_PENDULUM if algorithm in BOX else CART_POLE)
    options = f"agent.options.{algorithm}={OPTIONS[algorithm]}"
    agent = ["agent.name=sb3", f"agent.algorithm={algorithm}", "agent.stream.num_envs=3", "agent.total_steps=300"]
    config = resolve([], [env, *agent, options, "steps=300", "device=cpu", f"seed={seed}", *words])
    built = build(config, folder)
    return built, built.ready_to_resume()


def go(run: Run, updates: int) -> list[dict[str, float]]:
    turns = zip(range(updates), run.steps(), strict=False)
    return [{key: float(value) for key, value in metrics.items()} for _, (_, metrics) in turns]


def leaves(tree: Any, path: str = "") -> dict[str, Any]:
    """Every tensor, array and number in nested state, by path."""
    if isinstance(tree, dict):
        return {k: v for key, value in tree.items() for k, v in leaves(value, f"{path}/{key}").items()}
    if isinstance(tree, list | tuple):
        return {k: v for i, value in enumerate(tree) for k, v in leaves(value, f"{path}/{i}").items()}
    return {path: tree.detach().numpy() if isinstance(tree, torch.Tensor) else tree}


def assert_same(ours: Any, theirs: Any) -> None:
    a, b = leaves(ours), leaves(theirs)
    assert a.keys() == b.keys()
    assert [path for path, value in a.items() if not np.array_equal(value, b[path])] == []


def state(run: Run) -> dict[str, Any]:
    return {name: part.state_dict() for name, part in run.parts().items()}


def takes(algorithm: str, box: bool) -> bool:
    return ("Box" if box else "Discrete") in ACTION_KINDS.get(algorithm, ("Box", "Discrete"))


def numbers(model: Any) -> dict[str, Any]:
    """All but a clock, and what a learner of ours has otherwise."""
    others = {"start_time", "_custom_logger", "buffer_size"}
    return {name: value for name, value in vars(model).items() if isinstance(value, int | float) and name not in others}


@pytest.mark.parametrize(
    ("algorithm", "box"), [(name, box) for name in ALGORITHMS for box in (False, True) if takes(name, box)]
)
def test_it_learns_what_theirs_learns(algorithm: str, box: bool, tmp_path: Path) -> None:
    """`learn` of the same class on Gymnasium's environments and their own `DummyVecEnv`: every weight, bit for bit.

    Without noise: NumPy draws normal numbers in pairs, and keeps the second one only as long as nobody else draws.
    """
    quiet = [f"agent.options.{algorithm}.action_noise=null"] if "action_noise" in OPTIONS[algorithm] else []
    built, run = start(algorithm, tmp_path, *quiet, env=PENDULUM if box else CART_POLE)
    while run.stream.step < 300:
        go(run, 1)
    config, rng = built.config.agent, Rng(0)
    assert isinstance(config, SB3Config)
    cart: Any = lambda: gymnasium.make(id_of("cart_pole"), observe="features", max_steps=15)  # noqa: E731
    env = DummyVecEnv([(lambda: gymnasium.make("Pendulum-v1")) if box else cart] * 3)
    env.seed(rng.integer("env") % 2**31)
    draws = rng.numpy("sb3 actions")
    env.action_space = spaces.Box(-2, 2, (1,), np.float32, seed=draws) if box else spaces.Discrete(2, seed=draws)
    policy = "MlpLstmPolicy" if algorithm == "recurrent_ppo" else "MlpPolicy"
    with Generators(rng, CPU.device).in_place():
        given = keywords(dict(config.options)[algorithm], config.total_steps, num_actions=1)
        theirs = ALGORITHMS[algorithm](policy, env, device="cpu", **given)
        theirs.learn(300, log_interval=None)  # type: ignore[arg-type]
    ours = built.learner._model
    assert_same(ours.policy.state_dict(), theirs.policy.state_dict())
    learned, tensors = theirs._get_torch_save_params()
    for name in learned:
        assert_same(attrgetter(name)(ours).state_dict(), attrgetter(name)(theirs).state_dict())
    assert_same({name: vars(ours)[name] for name in tensors}, {name: vars(theirs)[name] for name in tensors})
    assert_same(numbers(ours), numbers(theirs))
    assert box or run.stream.metrics()["env/episodes"] >= 10


PIXELS = "env={name: catch, wrappers: [{frame_stack: {count: 2}}]}"
KINDS = {
    **{algorithm: (algorithm, "", []) for algorithm in ALGORITHMS},
    "ppo in a box": ("ppo", SHORT_PENDULUM, []),
    "dqn counting episodes": (
        "dqn",
        CART_POLE,
        ["agent.options.dqn.train_freq=[1, episode]", "agent.stream.num_envs=1"],
    ),
    "dqn with a full memory": ("dqn", CART_POLE, ["agent.options.dqn.buffer_size=24"]),
    "a2c at episodes' ends": (  # those of two rollouts, not of three
        "a2c",
        CART_POLE.replace("15", "8"),
        ["agent.options.a2c.n_steps=12"],
    ),
    "ppo from stacked pixels": ("ppo", PIXELS, ["agent.options.ppo.n_steps=4"]),
    "qrdqn from stacked pixels": ("qrdqn", PIXELS, []),
    "shared lstm": (
        "recurrent_ppo",
        CART_POLE,
        ["agent.options.recurrent_ppo.policy_kwargs={shared_lstm: true, enable_critic_lstm: false}"],
    ),
}


@pytest.mark.parametrize("kind", [*FEW, *(name for name in KINDS if name not in ALGORITHMS)])
def test_a_checkpoint_mid_way_changes_nothing(kind: str, tmp_path: Path) -> None:
    algorithm, env, words = KINDS[kind]
    whole_parts, whole = start(algorithm, tmp_path, *words, env=env)
    go(whole, 3)
    store = Checkpoints(tmp_path)
    store.save(whole.stream.step, whole.parts())
    resumed_parts, resumed = start(algorithm, tmp_path, *words, env=env)
    go(resumed, 2)  # traces of another past must not survive
    store.load(resumed.parts())
    assert_same(state(whole), state(resumed))
    models = [numbers(parts.learner._model) for parts in (whole_parts, resumed_parts)]
    assert_same(*models)  # nothing that counts was forgotten
    assert_same(go(whole, 4), go(resumed, 4))
    assert_same(state(whole), state(resumed))
    assert_same(whole.stream.metrics(), resumed.stream.metrics())


@pytest.mark.parametrize("algorithm", FEW)
def test_the_outside_and_the_run_leave_each_other_alone(algorithm: str, tmp_path: Path) -> None:
    """Their draws are from global generators; another seed is another run, and evaluation draws nothing."""
    (_, a), (parts, b), (_, c) = (start(algorithm, tmp_path, seed=seed) for seed in (1, 1, 2))
    torch.manual_seed(0), np.random.seed(0), np.random.randn()
    outside = np.random.get_state(), torch.get_rng_state()
    first = go(a, 3)
    assert_same(outside, (np.random.get_state(), torch.get_rng_state()))
    torch.manual_seed(1), np.random.seed(1)
    second = go(b, 2)
    observations = parts.config.env.make(4).reset(seed=0)[0]
    parts.learner.act(observations, parts.learner.initial_state(4), explore=False)
    assert_same(first, second + go(b, 1))
    assert_same(state(a), state(b))
    go(c, 3)
    with pytest.raises(AssertionError):
        assert_same(state(a), state(c))


@pytest.mark.parametrize("algorithm", FEW)
def test_it_acts_for_any_number_as_their_predict_does(algorithm: str, tmp_path: Path) -> None:
    """Twenty steps of five environments, of which one starts anew: ours carries and zeroes its state, theirs too."""
    built, run = start(algorithm, tmp_path)
    go(run, 2)
    agent, model = built.learner, built.learner._model
    draw = np.random.default_rng(0)
    memory, carried = None, agent.initial_state(5)
    for step in range(20):
        observations = draw.normal(size=(5, 3 if algorithm in BOX else 4)).astype(np.float32)
        starts = np.array([step in (0, 7), *4 * [step == 0]])
        carried = reset_where(carried, starts)
        actions, carried = agent.act(observations, carried, explore=False)
        theirs, memory = model.predict(observations, memory, starts, deterministic=True)
        assert actions.dtype == (np.float32 if algorithm in BOX else np.int64)
        assert actions.tolist() == theirs.tolist()
        if memory is not None:
            assert carried[0].shape == (5, 1, 8)
            np.testing.assert_allclose(carried[0][:, 0], memory[0][0], atol=1e-6)


def test_schedules_at_their_first_middle_and_last_step(tmp_path: Path) -> None:
    """DQN's exploration falls over half of `total_steps`, rates over their own steps; then they stay."""
    built, run = start("dqn", tmp_path)
    given = keywords(built.config.agent.options.dqn, 300)  # type: ignore[union-attr]
    assert [given["learning_rate"](1 - step / 300) for step in (0, 100, 200, 400)] == pytest.approx([1e-2, 5e-3, 0, 0])
    model, seen = built.learner._model, {}
    while run.stream.step < 400:
        metrics = go(run, 1)[0]
        seen[run.stream.step] = metrics["exploration_rate"], metrics["learning_rate"]
    assert min(seen) < 75 < 150 < 300 < max(seen)
    for step, (epsilon, rate) in seen.items():
        assert epsilon == pytest.approx(max(1 - step / 150 * 0.95, 0.05))
        assert rate == pytest.approx(max(1e-2 * (1 - step / 200), 0))
    assert model.num_timesteps == run.stream.step


class OneStep(gymnasium.Env[np.ndarray, np.int64]):
    """Each episode is one step with the same reward, so that the share of variance explained is not defined."""

    observation_space, action_space = spaces.Box(-1, 1, (2,)), spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        return np.zeros(2, np.float32), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict]:
        return np.zeros(2, np.float32), 1.0, True, False, {}


def test_returns_that_are_all_the_same_do_not_end_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gymnasium.registry, "OneStep-v0", EnvSpec("OneStep-v0", OneStep))
    logged = go(start("a2c", tmp_path, env="env={name: gym, id: OneStep-v0}")[1], 2)
    assert all("explained_variance" not in metrics and np.isfinite(list(metrics.values())).all() for metrics in logged)


def test_a_learner_that_only_plays_takes_no_memory() -> None:
    config = resolve([], [CART_POLE, "agent={name: sb3, algorithm: dqn}", "steps=1"]).agent
    agent = config.make(Spec((3, 84, 84), num_actions=2), Rng(0), CPU, NO_RUNS)  # type: ignore[union-attr]
    assert agent._model.replay_buffer.observations.nbytes < 10**6


def test_many_channels_are_still_channels() -> None:
    """Theirs takes the smallest axis for the channels, and would turn these images around."""
    agent = SB3Config().make(Spec((48, 36, 40), num_actions=2), Rng(0), CPU, NO_RUNS)
    assert agent._model.policy.features_extractor.cnn[0].in_channels == 48
    actions, _ = agent.act(np.zeros((2, 48, 36, 40), np.uint8), None, explore=True)
    assert actions.shape == (2,)


@pytest.mark.parametrize(
    ("spec", "policy", "name"),
    [
        (Spec((1, 84, 84), num_actions=2), "auto", "ActorCriticCnnPolicy"),
        (Spec((1, 84, 84), num_actions=2), "MlpPolicy", "ActorCriticPolicy"),
        (Spec((1, 36, 35), num_actions=2), "auto", "ActorCriticPolicy"),
        (Spec((4,), is_bytes=False, num_actions=2), "auto", "ActorCriticPolicy"),
    ],
)
def test_the_policy_goes_by_what_is_seen(spec: Spec, policy: Any, name: str) -> None:
    agent = SB3Config(policy=policy).make(spec, Rng(0), CPU, NO_RUNS)
    assert type(agent._model.policy).__name__ == name


@pytest.mark.parametrize("algorithm", ["ppo", "dqn", "recurrent_ppo", "sac"])
def test_a_run_from_the_command_line(algorithm: str, sandbox: Any, tmp_path: Path) -> None:
    """Trained, gone on with, evaluated, and filmed; what was written down is what was given."""
    options = f"agent.options.{algorithm}={OPTIONS[algorithm]}"
    words = ["agent.name=sb3", f"agent.algorithm={algorithm}", options, "agent.total_steps=300", "log_period=50"]
    env = SHORT_PENDULUM if algorithm in BOX else CART_POLE
    done = sandbox("train", env, *words, "steps=200", "name=run", "logger.wandb=off", "--quiet")
    assert done.code == 0, done.err
    done = sandbox("resume", "run", "--steps", "300", "--quiet")
    assert done.code == 0, done.err
    done = sandbox("evaluate", "run", "--episodes", "4", "--json")
    assert json.loads(done.out)["episodes"] == 4
    done = sandbox("watch", "run", "--video", "film.mp4", "--episodes", "1")
    assert done.code == 0, done.err
    assert (tmp_path / "film.mp4").stat().st_size > 0
    rows = [json.loads(line) for line in (tmp_path / "runs/run/metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["step"] >= 300
    assert {"loss", "learning_rate"} <= rows[-1].keys()
    assert any("env/return" in row for row in rows)
    written = (tmp_path / "runs/run/config.yaml").read_text()
    assert "n_epochs: 2" in written or algorithm in ("dqn", "sac")
    assert "max_grad_norm" not in written
