"""Which algorithms and keyword arguments of Stable-Baselines3 a config may name, and what is said of the others."""

import inspect
from pathlib import Path
from typing import Any, get_args

import pytest
import sb3_contrib
import stable_baselines3
from stable_baselines3.common.base_class import BaseAlgorithm

from sandbox.agents._sb3.options import _LEFT_OUT, ALGORITHMS, REFUSED, Options
from sandbox.agents.sb3 import SB3Config
from sandbox.config.files import to_yaml
from sandbox.core.errors import UserError
from sandbox.runs.build import build
from sandbox.runs.resolve import resolve

NAMES = "'a2c', 'crossq', 'ddpg', 'dqn', 'ppo', 'qrdqn', 'recurrent_ppo', 'sac', 'td3', 'tqc' or 'trpo'"
UNKNOWN = f"agent.algorithm=pppo: needs {NAMES}, got 'pppo'."
KNOWN = "Known: a2c, crossq, ddpg, dqn, ppo, qrdqn, recurrent_ppo, sac, td3, tqc, trpo."


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("agent.algorithm=pppo", f"{UNKNOWN} Did you mean 'ppo'?"),
        (
            "agent.algorithm=maskable_ppo",
            "agent.algorithm=maskable_ppo: maskable_ppo cannot be trained here: it needs masks of legal actions, which "
            f"environments here do not give. {KNOWN}",
        ),
        (
            "agent.algorithm=ars",
            "agent.algorithm=ars: ars cannot be trained here: it tries out whole policies and learns from no batches. "
            f"{KNOWN}",
        ),
        (
            "agent.options.ppo.n_step=8",
            "agent.options.ppo.n_step=8: unknown option. Did you mean 'agent.options.ppo.n_steps'?",
        ),
        (
            "agent.options.ppo={policy_kwargs: {net_arhc: [8]}}",
            "agent.options.ppo={policy_kwargs: {net_arhc: [8]}}: agent.options.ppo.policy_kwargs.net_arhc: unknown "
            "option. Did you mean 'agent.options.ppo.policy_kwargs.net_arch'?",
        ),
        (
            "agent.options.dqn.batch_size=many",
            "agent.options.dqn.batch_size=many: needs a whole number, got 'many'.",
        ),
        (
            "agent.options.dqn.gamma=1.5",
            "agent.options.dqn.gamma=1.5: needs a value <= 1, got 1.5.",
        ),
        (
            "agent.options.sac.ent_coef=automatic",
            "agent.options.sac.ent_coef=automatic: needs a number or text that matches ^auto(_[0-9.]*[1-9][0-9]*)?$, "
            "got 'automatic'.",
        ),
        (
            "agent.options.dnq.gamma=0.9",
            "agent.options.dnq.gamma=0.9: agent.options.dnq: unknown option. Did you mean 'agent.options.dqn'?",
        ),
        (
            "agent.algorithm=[ppo]",
            f"agent.algorithm=[ppo]: needs {NAMES}, got [ppo].",
        ),
    ],
)
def test_mistakes_in_a_config(word: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        resolve([], ["steps=1", "env.name=catch", "agent.name=sb3", word])
    assert str(error.value) == f"command line: {message}"


FEATURES = "env={name: catch, observe: features}"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["env={name: gym, id: Pendulum-v1}", "agent.algorithm=dqn"],
            "agent sb3 (agent.algorithm=dqn) chooses from Discrete actions, and this environment has a Box: "
            "Box(-2.0, 2.0, (1,), float32). Train another agent in it: `sandbox train env='{name: gym, id: "
            "Pendulum-v1}' agent='{name: sb3, algorithm: sac}' steps=1`",
        ),
        *(
            (
                [FEATURES, f"agent.algorithm={name}"],
                f"agent sb3 (agent.algorithm={name}) chooses from Box actions, and this environment has Discrete: "
                "Discrete(3). Train another agent in it: `sandbox train env='{name: catch, observe: features}' "
                "agent='{name: sb3, algorithm: ppo}' steps=1`",
            )
            for name in ("crossq", "ddpg", "sac", "td3", "tqc")
        ),
        (
            [FEATURES, "agent.policy=CnnPolicy"],
            "agent.policy=CnnPolicy is for images of bytes, at least 36x36, and here are numbers of shape (50,). "
            "Set agent.policy=auto.",
        ),
        (
            [FEATURES, "agent.algorithm=ppo", "agent.options.ppo.batch_size=1"],
            "agent.options.ppo: Stable-Baselines3 refuses these options: `batch_size` must be greater than 1. "
            "See https://github.com/DLR-RM/stable-baselines3/issues/440",
        ),
        (
            [FEATURES, "agent.algorithm=dqn", "agent.options.dqn.train_freq=[2, episode]"],
            "agent.options.dqn.train_freq counts episodes, which goes with one environment only; here are 8. "
            "Set agent.stream.num_envs=1, or count steps.",
        ),
        (
            [FEATURES, "agent.algorithm=qrdqn", "agent.options.qrdqn.buffer_size=10_000_000"],
            "agent.options.qrdqn.buffer_size=10000000 takes 4.2 GB, and this machine has 1.0 GB of memory. "
            "Set it to at most 2380952.",
        ),
    ],
)
def test_mistakes_that_show_with_the_environment(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay larger than memory is refused before anything is trained, with its size."""
    monkeypatch.setattr("sandbox.agents._sb3.phases.memory", lambda device: 10**9)
    with pytest.raises(UserError) as error:
        build(resolve([], [*words, "agent.name=sb3", "steps=1"]), tmp_path).ready_to_resume()
    assert str(error.value) == message


def test_a_warning_is_a_note(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    build(
        resolve([], [FEATURES, "agent={name: sb3, algorithm: ppo, options: {ppo: {batch_size: 100}}}", "steps=1"]),
        tmp_path,
    )
    said = capsys.readouterr().err
    assert said.startswith("note: Stable-Baselines3: You have specified a mini-batch size of 100, but because")
    assert said.count("\n") == 1


def test_every_algorithm_and_every_option_was_covered() -> None:
    """Another version of theirs that has more shows up here."""
    packages = stable_baselines3, sb3_contrib
    theirs = {name for package in packages for name, value in vars(package).items() if is_algorithm(value)}
    assert {name.replace("_", "") for name in [*ALGORITHMS, *REFUSED]} == {name.lower() for name in theirs}
    assert set(get_args(SB3Config.model_fields["algorithm"].annotation)) == set(ALGORITHMS)
    elsewhere = {"policy", "env", "device", "tensorboard_log", "replay_buffer_class", "rollout_buffer_class"}
    for name, algorithm in ALGORITHMS.items():
        options = type(dict(Options())[name]).model_fields
        assert set(inspect.signature(algorithm).parameters) - set(options) <= elsewhere | _LEFT_OUT
        assert {"learning_rate", "gamma", "policy_kwargs"} <= set(options)
        for option, field in options.items():
            noise = "standard deviation of Gaussian noise on the actions, which are scaled to [-1, 1]"
            manual = f"argument of {algorithm.__name__}: see Stable-Baselines3's manual"
            if option != "policy_kwargs":
                assert field.description == (noise if option == "action_noise" else manual)


def is_algorithm(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseAlgorithm)


def test_only_what_was_given_is_written_down(tmp_path: Path) -> None:
    """And it is read back as the same; defaults are those of the Stable-Baselines3 that is installed."""
    words = ["env.name=catch", "steps=1", "agent.name=sb3", "agent.options.ppo={n_steps: 64, policy_kwargs: {}}"]
    config = resolve([], [*words, "agent.options.dqn.train_freq=[3, step]"])
    assert config.agent is not None
    options = config.agent.model_dump(mode="json")["options"]
    assert options == {"dqn": {"train_freq": [3, "step"]}, "ppo": {"n_steps": 64, "policy_kwargs": {}}}
    (tmp_path / "config.yaml").write_text(to_yaml(config))
    assert resolve([tmp_path / "config.yaml"], []) == config
