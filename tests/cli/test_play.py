"""`sandbox play`: who plays, how fast, and what is refused. The window is a stand-in that nobody answers."""

import pytest

from sandbox.runfolder import RunFolder

TINY = [
    "pong_dqn",
    "agent.backbone={name: mlp, hidden: [8]}",
    "env.observe=features",
    "env.opponent_speed=0",
    "agent.stream.replay={num_envs: 4, capacity: 400, warmup: 100, update_period: 8}",
    "steps=120",
    "evaluate_period=0",
    "logger.wandb=off",
    "threads=1",
]


class Desk:
    """A window: two steps, then `q`."""

    def __init__(self, title):
        self.title, self.status, self.keys = title, [], ["space", None, None, "q"]
        Desk.last = self

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        pass

    def show(self, picture, status, help, banner=""):
        self.status.append(dict(status))

    def key(self, seconds):
        from sandbox.viewer.window import Key

        key = self.keys.pop(0)
        return key and Key(key, True)


@pytest.fixture
def sit_down(sandbox, monkeypatch):
    """Run `sandbox play` with such a window, in which time flies."""

    def run(*words):
        import pygame

        from sandbox.viewer import remote, window

        pygame.display.init()
        clock = iter(range(10_000))
        monkeypatch.setattr("sandbox.viewer.display.require_display", lambda instead: None)
        monkeypatch.setattr(window, "Window", Desk)
        monkeypatch.setattr(remote, "monotonic", lambda: next(clock))
        said = sandbox("play", *words)
        pygame.display.quit()
        return said

    return run


@pytest.mark.parametrize(
    ("words", "speed"), [(["pong"], "30/s"), (["catch"], "8/s"), (["pong", "--fps", "60"], "60/s")]
)
def test_the_game_says_how_fast_it_is_unless_the_person_does(sit_down, words, speed):
    assert sit_down(*words).code == 0
    assert {each["speed"] for each in Desk.last.status} == {"paused", speed}


def test_against_an_agent(sandbox, sit_down, tmp_path):
    assert sandbox("train", *TINY).code == 0
    said = sit_down("pong", "--vs", "pong_dqn_s0")
    assert (said.code, said.out.startswith("seed 0: return 0 in ")) == (0, True)
    assert Desk.last.title == "pong against pong_dqn_s0"
    person, agent = Desk.last.status[-1]["action"].split()
    assert (person, agent in "012") == ("0", True)

    wrong = sit_down("pong", "observe=pixels", "--vs", "latest")
    assert (wrong.code, wrong.err) == (
        2,
        "error: --vs: pong_dqn_s0 has learnt from observations [6], but a pair of players sees [2, 1, 84, 84], "
        "not [2, 6]; leave out `observe`, and wrappers that change the shape\n",
    )
    wrong = sit_down("pong", "wrappers=[{frame_stack: {}}]", "--vs", "latest")
    assert "sees [8, 6], not [2, 6]" in wrong.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["catch", "--vs", "some"], "--vs: catch has no second player; it has no option `players`"),
        (["pong", "--vs", "caught"], "--vs: caught has learnt catch, not pong; give a run of pong"),
        (["pong", "--vs", "painter"], "--vs: painter is a generator and cannot play; give an agent's run"),
        (["pgon", "--vs", "some"], "no environment is called 'pgon'. Did you mean 'pong'?"),
        (["pong", "--vs", "pianter"], "no run 'pianter' in runs. Did you mean 'painter'?"),
        (["pong", "players=3", "--vs", "caught"], "--vs: caught has learnt catch"),
    ],
)
def test_what_is_no_opponent_is_refused(sit_down, tmp_path, words, complaint):
    catch, digits = "env: {name: catch}\nagent: {name: dqn}\n", "data: {name: digits}\ngenerator: {name: rbm}\n"
    for name, config in {"caught": catch, "painter": digits}.items():
        RunFolder.create(tmp_path / "runs", name, config=f"steps: 1\n{config}", command=[])
    said = sit_down(*words)
    assert said.code == 2
    assert said.err.startswith(f"error: {complaint}")
