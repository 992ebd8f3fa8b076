"""Names of Gymnasium, Stable-Baselines3 and CleanRL: each leads to ours, and what is suggested can be typed."""

import re
import shlex

import pytest

from sandbox.config.foreign_names import _AGENTS, _BACKBONES, _OF_SB3, _OPTIONS, _RUN_OPTIONS
from sandbox.core.errors import UserError
from sandbox.runs.resolve import resolve

DQN = ["env={name: catch}", "agent={name: dqn}", "steps=1"]
IDS = {
    "CartPole-v1": "{name: gym, id: CartPole-v1}",
    "CartPole-v17": "{name: gym, id: CartPole-v1}",
    "LunarLander-v2": "{name: gym, id: LunarLander-v3}",
    "PongNoFrameskip-v4": "{name: atari, game: pong}",
    "SpaceInvadersDeterministic-v4": "{name: atari, game: space_invaders}",
    "ALE/MsPacman-v5": "{name: atari, game: ms_pacman}",
    "breakout": "{name: atari, game: breakout}",
    "Sandbox/KeyDoor-v0": "{name: key_door}",
    "my_envs:Mine/Walk-v0": "{name: gym, id: my_envs:Mine/Walk-v0}",
}


def hint(word: str) -> list[str]:
    """Return the overrides that the message about a wrong one suggests."""
    with pytest.raises(UserError) as error:
        resolve([], [*DQN, word])
    found = re.search(r"Did you mean (.*?)\?", str(error.value))
    assert found is not None, str(error.value)
    return [shlex.split(each)[0] for each in found[1].split(" or ")]


@pytest.mark.parametrize("section", ["env", "env.name"])
@pytest.mark.parametrize("word", IDS)
def test_ids(word: str, section: str) -> None:
    assert hint(f"{section}={word}") == [f"env={IDS[word]}"]
    resolve([], [*DQN, f"env={IDS[word]}"])


@pytest.mark.parametrize("section", ["agent", "agent.name"])
@pytest.mark.parametrize(
    "word", [*_OF_SB3, "PPO", "qr-dqn", "RecurrentPPO", *(word for word in _AGENTS if word != "drqn")]
)
def test_agents(word: str, section: str) -> None:
    resolve([], [*DQN, *hint(f"{section}={word}")])


@pytest.mark.parametrize("word", [*_BACKBONES, "CnnPolicy", "ResNet"])
def test_backbones(word: str) -> None:
    resolve([], [*DQN, *hint(f"agent.backbone={word}")])


@pytest.mark.parametrize("word", [*_OPTIONS, *_RUN_OPTIONS])
def test_options(word: str) -> None:
    """A suggestion is an option: with a wrong value, the message is no longer about its name."""
    above = "" if word in _RUN_OPTIONS else "agent."
    for option in hint(f"{above}{word}=[[]]"):
        option = option if "." in option or word in _RUN_OPTIONS else f"{above}{option}"
        with pytest.raises(UserError) as error:
            resolve([], [*DQN, f"{option}=[[]]"])
        assert "unknown option" not in str(error.value)


def test_other_words_keep_their_hints() -> None:
    assert hint("agent=dqnn") == ["agent.name=dqn", "agent.name=drqn"]
    assert hint("agent=rainbow") == ["agent.name=rainbow"]
    with pytest.raises(UserError, match=r"got 'Foo-v3'. Set env.name to one of atari, cart_pole, catch"):
        resolve([], [*DQN, "env=Foo-v3"])
