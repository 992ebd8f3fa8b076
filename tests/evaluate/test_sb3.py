"""Stable-Baselines3 scores our agents, and trains its own on our environments."""

import warnings

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv

from sandbox.agents.drqn import DRQNConfig
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.environments.batch import BatchEnvConfig
from sandbox.envs import id_of
from sandbox.envs.catch import CatchConfig
from sandbox.evaluate.agents import play_episodes
from sandbox.evaluate.sb3 import Policy
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.networks.mlp import MLP
from sandbox.networks.recurrent import LSTM
from sandbox.runs import registry


def test_evaluate_policy_scores_our_agents_as_we_do() -> None:
    """This includes recurrent agents, whose state is kept within an episode and zeroed at the start of the next."""
    source = CatchConfig(observe="features").make
    config = DRQNConfig(backbone=MLP(hidden=(8,)), recurrent=LSTM(size=8))
    agent = config.make(spec_of(source(1)), Rng(0), Compute(torch.device("cpu")), NO_RUNS)
    env = DummyVecEnv([lambda: gymnasium.make("Sandbox/Catch-v0", observe="features")] * 2)
    env.seed(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for a Monitor wrapper
        theirs, _ = evaluate_policy(Policy(agent), env, n_eval_episodes=20, return_episode_rewards=True)  # type: ignore[arg-type]
    ours = play_episodes(agent, source(2), 20, seed=5)
    assert np.array_equal(theirs, ours.returns)


NAMES = [name for name in registry.names("envs") if issubclass(registry.config_class("envs", name), BatchEnvConfig)]


@pytest.mark.parametrize("name", NAMES)
def test_ppo_trains_on_our_environments(name: str) -> None:
    env = gymnasium.make(id_of(name))
    model = PPO("CnnPolicy", env, n_steps=32, batch_size=16, n_epochs=1, device="cpu", policy_kwargs={"net_arch": [8]})
    model.learn(32)
    assert model.num_timesteps == 32
