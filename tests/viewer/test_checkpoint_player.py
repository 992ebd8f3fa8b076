"""Checkpoints of a run that is still training: the newest one, and earlier ones."""

import shutil

import pytest

from sandbox.envs.catch import CatchConfig
from sandbox.storage.checkpoint import Checkpoints
from sandbox.viewer.checkpoint_player import CheckpointPlayer


class Number:
    """An agent whose only weight is the action that it takes."""

    def __init__(self):
        self.value = 0

    def state_dict(self):
        return {"value": self.value}

    def load_state_dict(self, state):
        self.value = state["value"]

    def initial_state(self, num_envs):
        return None

    def act(self, observations, state, *, explore):
        return [self.value], None


@pytest.fixture
def number():
    return Number()


@pytest.fixture
def save(tmp_path):
    """Save a checkpoint as a training process would; its value is the step modulo 3."""

    def save(*steps, folder="checkpoints"):
        other = Number()
        for step in steps:
            other.value = step % 3
            Checkpoints(tmp_path / folder).save(step, {"learner.number": other})

    return save


@pytest.fixture
def player(tmp_path, number):
    stores = [Checkpoints(tmp_path / "snapshots"), Checkpoints(tmp_path / "checkpoints")]
    return CheckpointPlayer({"learner.number": number}, stores, 1)


def test_the_newest_is_loaded(player, number, save):
    save(1)
    assert not player.load_newest()
    save(2)
    assert player.load_newest()
    assert (player.step, number.value) == (2, 2)
    assert not player.load_newest()


def test_a_chosen_earlier_checkpoint_stays(player, number, save):
    save(1, folder="snapshots")
    save(2, 3)
    assert player.steps() == [1, 2, 3]
    assert [(player.load_next(), player.step, number.value) for _ in range(4)] == [
        (True, 2, 2),
        (True, 3, 0),
        (True, 1, 1),
        (True, 2, 2),
    ]
    save(4)
    assert not player.load_newest()
    while player.step < 4:
        player.load_next()
    save(5)
    assert player.load_newest()
    assert player.step == 5


def test_a_checkpoint_that_is_being_written_or_is_gone_changes_nothing(player, number, save, tmp_path):
    save(1)
    (tmp_path / "checkpoints" / ".writing_000000000002").mkdir()
    assert not player.load_newest()
    save(2)
    (tmp_path / "checkpoints" / "step_000000000002" / "learner.number.json").write_text("{")
    assert not player.load_newest()
    assert (player.step, number.value) == (1, 0)
    shutil.rmtree(tmp_path / "checkpoints")
    assert not player.load_next()
    assert not player.load_newest()


def test_a_session_loads_new_checkpoints_between_episodes(player, number, save, watch):
    save(1)
    frontend = watch(CatchConfig().make(1), number, checkpoints=player).play(None)
    assert frontend.session.title == "a run · step 1"
    save(2)
    frontend.play(None)
    assert frontend.session.title == "a run · step 1"
    frontend.play("r", None)
    assert frontend.session.title == "a run · step 2"
    assert frontend.each("new checkpoint")[-1] == "2"
    assert frontend.session.frame.actions == (2,)
    frontend.play("c", None)
    assert (frontend.session.title, frontend.session.frame.actions) == ("a run · step 1", (1,))


def test_with_one_checkpoint_there_is_no_next(player, save, watch, number):
    save(1)
    frontend = watch(CatchConfig().make(1), number, checkpoints=player).play("c")
    assert frontend.each("checkpoint")[-1] == "there is no other yet"
