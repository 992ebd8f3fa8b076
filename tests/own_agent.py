"""An agent of a person's own, and a tiny training with it, for tests of the command line."""

AGENT = '''"""An agent that always does the same."""

from typing import Literal

import numpy as np
import torch
from pathlib import Path

from sandbox.core.stateful import Counter
from sandbox.interfaces.agent import Agent, AgentConfig
from sandbox.streams.rollouts import RolloutsConfig


class StillConfig(AgentConfig):
    """Options of Still."""

    name: Literal["still"] = "still"
    stream: RolloutsConfig = RolloutsConfig(num_envs=2, length=4)

    def make(self, spec, rng, compute, runs):
        return Still()


class Still(Agent):
    def __init__(self):
        self.updates = Counter()

    def initial_state(self, num_envs):
        return None

    def act(self, observations, state, *, explore):
        return np.zeros(len(observations), np.int64), None

    def update(self, batch):
        self.updates.value += 1
        return {"loss": torch.zeros(())}

    def parts(self):
        return {"updates": self.updates}


Path(__file__).with_name("imported").touch()
'''
TRAIN = ["env.name=catch", "agent.name=still", "steps=40", "name=mine", "logger.wandb=off", "log_period=20"]
QUIET = ["evaluate_period=0", "checkpoint_period=20"]
