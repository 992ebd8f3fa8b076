"""DQN as a whole against Stable-Baselines3's, at the same hyperparameters, on Pong from pixels.

Nature network, stacks of four, batch 32, an update every four steps, one environment; ours once in fp32 and once in the
precision that pays here. Nothing is evaluated, logged or saved on either side.
"""

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import stable_baselines3
import torch
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack

from agents.dqn import DQNConfig
from envs import id_of
from envs.pong import PongConfig
from sandbox.bench._measure import Row, rates
from sandbox.device import Compute, bf16_pays
from sandbox.environment import spec_of
from sandbox.seeding import Rng
from sandbox.streams.experience import ExperienceConfig, ReplayConfig
from sandbox.train import Run

CAPACITY, WARMUP, BATCH, PERIOD, STACK, CHUNK = 10_000, 200, 32, 4, 4, 64


def rows() -> Iterator[Row]:
    """Steps a second."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    sides = {"fp32": _ours(Compute(device))}
    if bf16_pays(device):
        sides["bf16"] = _ours(Compute(device, bf16=True))
    *ours, theirs = rates(*sides.values(), _theirs(device))
    for precision, speed in zip(sides, ours, strict=True):
        yield Row(f"DQN on {device.type}, {precision}", "steps/s", speed, theirs)


def _ours(compute: Compute) -> Callable[[], int]:
    replay = ReplayConfig(num_envs=1, capacity=CAPACITY, warmup=WARMUP, update_period=PERIOD)
    stream = ExperienceConfig(batch_size=BATCH, stack=STACK, replay=replay)
    config = DQNConfig.model_validate({"stream": stream})
    env, rng = PongConfig.model_validate({}), Rng(0)
    learner = config.make(spec_of(env.make(1)), rng, compute)
    run = Run(learner, config.stream.make(env.make, learner, rng, compute), rng)
    steps = run.steps()

    def learn() -> int:
        before = run.stream.step
        while run.stream.step < before + CHUNK:
            next(steps)
        return run.stream.step - before

    return learn


def _theirs(device: torch.device) -> Callable[[], int]:
    env: Any = DummyVecEnv([lambda: gymnasium.make(id_of("pong"), disable_env_checker=True)])
    model = stable_baselines3.DQN(
        "CnnPolicy",
        VecFrameStack(env, STACK, channels_order="first"),
        buffer_size=CAPACITY,
        learning_starts=WARMUP,
        batch_size=BATCH,
        train_freq=PERIOD,
        target_update_interval=10_000,
        device=device,
        seed=0,
    )
    model.learn(WARMUP + CHUNK)

    def learn() -> int:
        model.learn(CHUNK, reset_num_timesteps=False)
        return CHUNK

    return learn
