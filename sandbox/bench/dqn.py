"""DQN: steps per second, against Stable-Baselines3 with the same hyperparameters, on Pong from pixels.

Nature network, stacks of four frames, batch 32, an update every four steps, one environment. Ours is measured in fp32,
and in bf16 if the device multiplies in it natively; each also with `overlap` and one thread fewer, so that the
environment steps during updates. Both explore with the epsilon that theirs ends with, so that both networks act.
Nothing is evaluated, logged or saved on either side. The limit is the speed at which the products of four steps and
their update would run if large matrices were multiplied.
"""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import gymnasium
import stable_baselines3
import torch
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack

from sandbox.agents.dqn import DQNConfig
from sandbox.bench._clock import clock
from sandbox.bench._measure import Row, rates, trainer
from sandbox.bench._products import matmul_rate, operations
from sandbox.core.compute import Compute, PrecisionName, bf16_pays, choose
from sandbox.core.rng import Rng
from sandbox.envs import id_of
from sandbox.envs.pong import PongConfig
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.streams.experience import ExperienceConfig, ReplayConfig
from sandbox.training.loop import Run

CAPACITY, WARMUP, BATCH, PERIOD, STACK, CHUNK = 10_000, 200, 32, 4, 4, 64
EPSILON, TURNS = 0.05, 40  # of both sides; turns of four steps whose parts are measured


def rows() -> Iterator[Row]:
    """Measure steps per second."""
    device, cores = choose().device, torch.get_num_threads()
    sides: dict[str, Callable[[], int]] = {}
    limits: dict[str, float] = {}
    outside: dict[str, float] = {}
    precisions: tuple[PrecisionName, ...] = ("fp32", "bf16") if bf16_pays(device) else ("fp32",)
    for precision in precisions:
        run = training_run(choose(precision=precision))
        outside[precision] = _seconds_outside(run)
        limits[precision] = PERIOD * matmul_rate(choose(precision=precision)) / operations(run)
        sides[precision] = _with_threads(cores, trainer(run, CHUNK))
        overlapped = trainer(training_run(choose(precision=precision, overlap=True)), CHUNK)
        sides[f"{precision}, overlapped"] = _with_threads(max(1, cores - 1), overlapped)
    *ours, theirs = rates(*sides.values(), _with_threads(cores, _theirs(device)))
    torch.set_num_threads(cores)
    for what, speed in zip(sides, ours, strict=True):
        yield Row(f"DQN on {device.type}, {what}", "steps/s", speed, theirs, limits.get(what))
    for what, seconds in outside.items():
        yield Row(f"DQN on {device.type}, {what}: outside the update, {PERIOD} steps", "ms", seconds * 1e3)


def _with_threads(count: int, side: Callable[[], int]) -> Callable[[], int]:
    def work() -> int:
        torch.set_num_threads(count)
        return side()

    return work


def training_run(compute: Compute) -> Run:
    """Return the training of our DQN, without side effects."""
    replay = ReplayConfig(num_envs=1, capacity=CAPACITY, warmup=WARMUP, update_period=PERIOD)
    stream = ExperienceConfig(batch_size=BATCH, replay=replay)
    exploration = {"start": EPSILON, "end": EPSILON}
    config = DQNConfig.model_validate({"frame_stack": STACK, "stream": stream, "exploration": exploration})
    env, rng = PongConfig.model_validate({}), Rng(0)
    learner = config.make(spec_of(env.make(1)), rng, compute, NO_RUNS)
    return Run(learner, config.stream.make(env.make, learner, rng, compute), rng)


def _seconds_outside(run: Run) -> float:
    """Return the median seconds that four steps take without their update: acting, environment, replay and batch."""
    taken = []
    for _ in range(TURNS):
        start = clock.now()
        batch = next(run.stream)
        taken.append(clock.now() - start)
        if batch is not None:
            run.learner.update(batch)
    return median(taken)


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
