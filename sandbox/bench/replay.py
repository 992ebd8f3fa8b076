"""Replay buffer: memory of a million Atari transitions and batches of 32 per second, against Stable-Baselines3.

Both store the same transitions and return stacks of four frames; ours stores each frame once, theirs each stack twice.
Memory is that of the arrays, measured at 20,000 transitions.
"""

from collections.abc import Iterator

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.buffers import ReplayBuffer

from sandbox.bench._measure import Row, rates
from sandbox.buffers.replay import Replay
from sandbox.interfaces.spec import Spec

CAPACITY, BATCH, STACK, EPISODE = 20_000, 32, 4, 500  # transitions; an update's; frames; steps of an episode


def rows() -> Iterator[Row]:
    """Measure memory in GB (less is better), then batches per second."""
    ours, theirs = _ours(), _theirs()
    arrays = ours.state_dict()
    held = sum(np.asarray(array).nbytes for array in arrays.values()) / CAPACITY
    stored = [theirs.observations, theirs.next_observations, theirs.actions, theirs.rewards, theirs.dones]
    needed = sum(array.nbytes for array in stored) / CAPACITY
    yield Row("1,000,000 Atari transitions (less is better)", "GB", held * 1e6 / 1e9, needed * 1e6 / 1e9)

    def draw() -> int:
        ours.at(*ours.draw(BATCH), 1)
        return 1

    def sample() -> int:
        theirs.sample(BATCH)
        return 1

    yield Row(f"draws of {BATCH}", "batches/s", *rates(draw, sample))


def _frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 1, 84, 84), np.uint8)


def _ours() -> Replay:
    cpu = torch.device("cpu")
    replay = Replay(CAPACITY, 1, Spec((1, 84, 84), num_actions=6), STACK, np.random.default_rng(0), cpu)
    frames = _frames()
    for step in range(CAPACITY + 100):
        replay.add(frames[step % 64][None], np.zeros(1, np.int64), np.zeros(1, np.float32), np.zeros(1, bool))
        replay.add_last(frames[(step + 1) % 64][None], np.array([step % EPISODE == EPISODE - 1]))
    return replay


def _theirs() -> ReplayBuffer:
    space = spaces.Box(0, 255, (STACK, 84, 84), np.uint8)
    buffer = ReplayBuffer(CAPACITY, space, spaces.Discrete(6), device="cpu")
    frames = _frames()
    stacks = [np.concatenate([frames[(first + i) % 64] for i in range(STACK)])[None] for first in range(64)]
    for step in range(CAPACITY):
        done = np.array([step % EPISODE == EPISODE - 1])
        buffer.add(stacks[step % 64], stacks[(step + 1) % 64], np.zeros((1, 1)), np.zeros(1), done, [{}])
    return buffer
