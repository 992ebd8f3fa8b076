"""Shipped configs, trained for real for a minute at most each, reach scores that luck does not."""

import json

import pytest

pytestmark = pytest.mark.learning

QUIET = ["logger.wandb=off", "evaluate_period=0", "checkpoint_period=0", "threads=1"]
BLIND = [
    "blind_catch_drqn",
    "env.observe=features",
    "agent.backbone={name: mlp, hidden: [32]}",
    "agent.optimizer.lr=2e-3",
    "agent.stream.replay={num_envs: 8, capacity: 20_000, warmup: 500, update_period: 8}",
    "steps=32000",
]


@pytest.fixture
def score(sandbox):
    def run(*words):
        done = sandbox("train", *words, *QUIET, "--quiet")
        assert done.code == 0, done.err
        return json.loads(sandbox("evaluate", "latest", "--json").out)

    return run


def test_dqn_learns_catch_from_pixels(score):
    assert score("catch_dqn")["return_mean"] >= 0.98


def test_iqn_learns_catch_from_pixels(score):
    assert score("catch_iqn")["return_mean"] >= 0.98


def test_random_play_is_the_floor(score):
    assert abs(score("catch_random", "steps=1000")["return_mean"] + 0.6) < 0.15


def test_drqn_remembers_the_ball_it_saw_once(score):
    assert score(*BLIND)["return_mean"] >= 0.95


def test_dqn_cannot(score):
    """A memoryless policy's best is 0.2."""
    words = ["catch_dqn", "env={name: catch, blind: true, observe: features}", "steps=16000"]
    assert score(*words, "agent.backbone={name: mlp, hidden: [32]}")["return_mean"] <= 0.25


SHORT_CHAIN = ["env.length=8", "steps=12000", "agent.stream.replay.warmup=600"]
AT_RANDOM = 0.25  # three and a half standard errors of 200 episodes that are worth 1 or -1


@pytest.mark.parametrize(
    "words",
    [
        ["memory_chain_drqn", "agent.stream.length=8", "agent.exploration.steps=6000"],
        ["memory_chain_drqn", "agent.stream={length: 8, updates: sequential}", "agent.exploration.steps=6000"],
        ["memory_chain_drqn", "agent.recurrent.name=gru", "agent.stream.length=8", "agent.exploration.steps=6000"],
        ["memory_chain_r2d2", "agent.stream={length: 8, period: 4, burn_in: 4}"],
    ],
)
def test_agents_with_a_memory_know_what_was_shown(score, words):
    assert score(*words, *SHORT_CHAIN)["return_mean"] >= 0.95


@pytest.mark.parametrize("name", ["dqn", "double_dqn"])
def test_agents_without_one_cannot(score, name):
    words = [f"memory_chain_{name}", "agent.exploration.steps=6000"]
    assert abs(score(*words, *SHORT_CHAIN)["return_mean"]) <= AT_RANDOM


def test_pqn_balances_gymnasiums_pole(score):
    assert score("cart_pole_v1_pqn")["return_mean"] >= 475


@pytest.mark.parametrize("words", [[], ["agent.algorithm=dqn", "env.observe=features"]])
def test_stable_baselines3_learns_catch(score, words):
    """PPO from pixels; DQN with another policy, from features."""
    assert score("catch_sb3", *words)["return_mean"] >= 0.95
