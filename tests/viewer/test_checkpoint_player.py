"""Following a run that is still training, and looking back at what it was."""

import shutil

import pytest

from sandbox.envs.catch import CatchConfig
from sandbox.storage.checkpoint import Checkpoints
from sandbox.viewer.checkpoint_player import CheckpointPlayer


class Number:
    """An agent of one number, which it always does."""

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
    """Another process saves a checkpoint, of the value that is its step % 3."""

    def save(*steps, folder="checkpoints"):
        other = Number()
        for step in steps:
            other.value = step % 3
            Checkpoints(tmp_path / folder).save(step, {"learner.number": other})

    return save


@pytest.fixture
def trained(tmp_path, number):
    places = [Checkpoints(tmp_path / "snapshots"), Checkpoints(tmp_path / "checkpoints")]
    return CheckpointPlayer({"learner.number": number}, places, 1)


def test_it_follows_the_newest(trained, number, save):
    save(1)
    assert not trained.follow()
    save(2)
    assert trained.follow()
    assert (trained.step, number.value) == (2, 2)
    assert not trained.follow()


def test_who_looks_back_is_not_pulled_away(trained, number, save):
    save(1, folder="snapshots")
    save(2, 3)
    assert trained.steps() == [1, 2, 3]
    assert [(trained.next(), trained.step, number.value) for _ in range(4)] == [
        (True, 2, 2),
        (True, 3, 0),
        (True, 1, 1),
        (True, 2, 2),
    ]
    save(4)
    assert not trained.follow()
    while trained.step < 4:
        trained.next()
    save(5)
    assert trained.follow()
    assert trained.step == 5


def test_a_checkpoint_that_is_being_written_or_is_gone_changes_nothing(trained, number, save, tmp_path):
    save(1)
    (tmp_path / "checkpoints" / ".writing_000000000002").mkdir()
    assert not trained.follow()
    save(2)
    (tmp_path / "checkpoints" / "step_000000000002" / "learner.number.json").write_text("{")
    assert not trained.follow()
    assert (trained.step, number.value) == (1, 0)
    shutil.rmtree(tmp_path / "checkpoints")
    assert not trained.next()
    assert not trained.follow()


def test_a_session_takes_up_new_checkpoints_between_episodes(trained, number, save, watch):
    save(1)
    face = watch(CatchConfig().make(1), number, trained=trained).play(None)
    assert face.session.title == "a run · step 1"
    save(2)
    face.play(None)
    assert face.session.title == "a run · step 1"
    face.play("r", None)
    assert face.session.title == "a run · step 2"
    assert face.each("new checkpoint")[-1] == "2"
    assert face.session._frame.action == (2,)
    face.play("c", None)
    assert (face.session.title, face.session._frame.action) == ("a run · step 1", (1,))


def test_with_one_checkpoint_there_is_no_next(trained, save, watch, number):
    save(1)
    face = watch(CatchConfig().make(1), number, trained=trained).play("c")
    assert face.each("checkpoint")[-1] == "there is no other yet"
