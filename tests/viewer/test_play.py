import pytest

from envs.catch import CatchConfig
from envs.pong import PongConfig
from sandbox.environment import Controls
from sandbox.errors import UserError
from sandbox.viewer.play import play
from sandbox.viewer.window import Key


@pytest.fixture
def run(tape):
    """Play `env` with a script of keys (None: nothing comes until the time is up); then the window is closed."""

    def run(env, script):
        tape.script = script
        return list(play(tape, env, seed=0, fps=16.0))

    return run


def test_keys_become_actions(tape, run):
    run(CatchConfig().make(1), ["space", None, "left", None, None, Key("left", False), None, None])
    assert [shown["action"] for shown in tape.shown[2:]] == ["1", "0", "0", "1", "1"]


def test_two_players_and_their_keys_go_first(tape, run):
    run(PongConfig(players=2).make(1), ["space", None, "up", "s", None, Key("s", False), None])
    assert [shown["action"] for shown in tape.shown[2:]] == ["0 0", "1 2", "1 0"]
    assert tape.saved == 0
    assert list(tape.shown[0]["keys"].items())[:2] == [("up down", "player 1"), ("w s", "player 2")]


def test_it_waits_for_its_players(tape, run):
    ends = run(CatchConfig().make(1), [None, None, None])
    assert [(shown["step"], shown["banner"]) for shown in tape.shown] == [("0", "space to start")]
    assert [(end.step, end.ended) for end in ends] == [(0, False)]


def test_the_end_stays_until_it_is_answered(tape, run):
    ends = run(CatchConfig().make(1), ["space", *[None] * 20, "r", None, "q"])
    assert [(end.seed, end.step, end.ended) for end in ends] == [(0, 9, True), (1, 1, False)]
    assert tape.shown[-3]["banner"] == f"return {ends[0].return_:g}  ·  r to play again"
    assert [(shown["step"], shown["banner"], shown["speed"]) for shown in tape.shown[-2:]] == [
        ("0", "", "16/s"),
        ("1", "", "16/s"),
    ]


def test_a_game_that_fires_with_space_is_paused_with_p(tape, run):
    env = CatchConfig().make(1)
    env.controls = (Controls({"space": 2}, idle=1),)
    run(env, ["space", None, "p", None])
    assert tape.shown[0]["banner"] == "p to start"
    assert (tape.shown[0]["keys"]["space"], tape.shown[0]["keys"]["p"]) == ("play", "pause")
    assert (tape.shown[-1]["step"], tape.shown[-1]["action"]) == ("1", "2")


def test_a_game_without_an_idle_action_waits_for_its_keys(tape, run):
    env = CatchConfig().make(1)
    env.controls = (Controls({"left": 0, "right": 2}, idle=None),)
    run(env, [None, None, "left", None, None, Key("left", False), None, "right", Key("right", False), None])
    assert [(shown["action"], shown["speed"]) for shown in tape.shown] == [
        ("–", "16/s"),
        ("0", "16/s"),
        ("0", "16/s"),
        ("2", "16/s"),
    ]


def test_a_game_without_keys_is_refused(run):
    env = CatchConfig().make(1)
    env.controls = (Controls(),)
    with pytest.raises(UserError) as error:
        run(env, [])
    assert str(error.value) == (
        "this environment cannot be played by hand: its `controls` name no keys. Try `sandbox watch`."
    )
