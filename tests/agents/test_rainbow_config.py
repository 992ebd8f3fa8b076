"""Rainbow's options and its learning as a whole."""

import json

import pytest

from sandbox.agents.rainbow import RainbowConfig
from sandbox.core.errors import UserError
from sandbox.networks.heads.categorical import Categorical
from sandbox.networks.heads.exploration import Noisy
from sandbox.optimizers.adam import Adam
from sandbox.runs.resolve import resolve


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("head.atoms=51", "unknown option. Did you mean 'agent.head.num_atoms'?"),
        ("head={minimum: 1, maximum: -1.0}", "minimum must be below maximum, got 1 and -1."),
        ("head.name=quantile", "unknown head 'quantile'. Known: categorical, scalar."),
        (
            "exploration.name=noise",
            "unknown exploration 'noise'. Did you mean 'noisy'? Known: noisy, epsilon_greedy.",
        ),
        ("exploration.sigma=-1", "needs a value >= 0, got -1."),
        ("stream.priority_exponent=-1", "needs a value >= 0, got -1."),
    ],
)
def test_mistakes(word: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        resolve([], ["steps=1", "env.name=catch", "agent.name=rainbow", f"agent.{word}"])
    assert str(error.value) == f"command line: agent.{word}: {message}"


def test_the_atari_config_has_the_papers_numbers() -> None:
    """Table 1 of Hessel et al. 2018; its frames are four of our steps."""
    agent = resolve(["atari_pong_rainbow"], []).agent
    assert isinstance(agent, RainbowConfig)
    assert agent.optimizer == Adam(lr=6.25e-5, eps=32 * 1.5e-4)  # losses are summed here
    assert agent.head == Categorical(num_atoms=51, minimum=-10, maximum=10, dueling=True, hidden=512)
    assert (agent.exploration, agent.double, agent.discount, agent.reward_clip) == (Noisy(sigma=0.5), True, 0.99, 1.0)
    stream = agent.stream
    assert agent.target_period * stream.replay.update_period * 4 == 32_000
    assert stream.replay.warmup * 4 == 80_000
    assert (stream.batch_size, agent.frame_stack, agent.n_step, stream.priority_exponent) == (32, 4, 3, 0.5)
    assert [stream.importance_exponent.at(step) for step in (0, 25_000_000, 50_000_000)] == pytest.approx(
        [0.4, 0.7, 1.0]
    )


@pytest.mark.learning
def test_it_learns_catch(sandbox) -> None:
    """From features, with a small network: ten to twenty seconds."""
    words = [
        "catch_rainbow",
        "env.observe=features",
        "agent.backbone={name: mlp, hidden: [64]}",
        "agent.head.hidden=64",
    ]
    quiet = ["logger.wandb=off", "evaluate_period=0", "checkpoint_period=0", "--quiet"]
    done = sandbox("train", *words, "agent.optimizer.lr=1e-3", "precision=fp32", "steps=14000", *quiet)
    assert done.code == 0, done.err
    assert json.loads(sandbox("evaluate", "latest", "--json").out)["return_mean"] >= 0.98
