"""`sandbox play` and `sandbox watch` with a fake window: players, speed, demonstrations, and refused commands."""

import pytest

from sandbox.storage.run_folder import RunFolder

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
    """A fake window that starts the game, waits for the countdown, lets it run for two steps and presses `q`."""

    def __init__(self):
        self.views, self.keys = [], ["space", *[None] * 9, None, None, "q"]
        Desk.last = self

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        pass

    def run(self, session):
        from sandbox.viewer.keys import Key

        now = 0.0
        for key in self.keys:
            session.update(now)
            self.views.append(session.view())
            self.title = session.title
            now += session.timeout(now)
            if key is not None:
                session.handle_key(Key(key, True))
        session.close()
        yield from session.pop_messages()

    def all(self, name):
        return [dict(view.status)[name] for view in self.views]


@pytest.fixture
def sit_down(sandbox, monkeypatch):
    """Run `sandbox` with the fake window `Desk`."""

    def run(*words):
        from sandbox.viewer import window

        monkeypatch.setattr("sandbox.viewer.display.require_display", lambda instead: None)
        monkeypatch.setattr(window, "Window", Desk)
        return sandbox(*words)

    return run


@pytest.mark.parametrize(
    ("words", "speed"), [(["pong"], "30/s"), (["catch"], "8/s"), (["pong", "--fps", "60"], "60/s")]
)
def test_the_game_says_how_fast_it_is_unless_the_person_does(sit_down, words, speed):
    assert sit_down("play", *words).code == 0
    assert {view.playback for view in Desk.last.views} == {speed}
    assert Desk.last.views[0].card.title == words[0].capitalize()


def test_against_an_agent(sandbox, sit_down, tmp_path):
    assert sandbox("train", *TINY).code == 0
    said = sit_down("play", "pong", "--vs", "pong_dqn_s0")
    assert (said.code, said.out) == (0, "seed 0: return 0 in 2 steps (left early)\n")
    assert Desk.last.title == "Pong against pong_dqn_s0 · step 120"
    assert Desk.last.views[-1].hints[0] == ("up down", "move")
    assert [panel.title for panel in Desk.last.views[-1].panels] == ["Q-values", "network input"]

    said = sit_down("watch", "latest", "--vs", "latest")
    assert said.code == 0
    assert Desk.last.title == "pong_dqn_s0 against pong_dqn_s0 · step 120"

    wrong = sit_down("play", "pong", "observe=pixels", "--vs", "latest")
    assert (wrong.code, wrong.err) == (
        2,
        "error: --vs: pong_dqn_s0 was trained on observations [6], but two players observe [2, 1, 84, 84] instead of "
        "[2, 6]; leave out `observe`, and wrappers that change the shape\n",
    )
    wrong = sit_down("play", "pong", "wrappers=[{frame_stack: {}}]", "--vs", "latest")
    assert "observe [8, 6] instead of [2, 6]" in wrong.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ["catch", "--vs", "some"],
            "--vs: catch has one player only; use an environment for two players: pong\n",
        ),
        (["pong", "--vs", "caught"], "--vs: caught was trained in catch, not in pong; give a run of pong"),
        (["pong", "--vs", "painter"], "--vs: painter is a generator and cannot play; give an agent's run"),
        (["pgon", "--vs", "some"], "no environment is called 'pgon'. Did you mean 'pong'?"),
        (["pong", "--vs", "pianter"], "no run 'pianter' in runs. Did you mean 'painter'?"),
        (["pong", "players=3", "--vs", "caught"], "--vs: caught was trained in catch"),
    ],
)
def test_what_is_no_opponent_is_refused(sit_down, tmp_path, words, complaint):
    catch, digits = "env: {name: catch}\nagent: {name: dqn}\n", "data: {name: digits}\ngenerator: {name: rbm}\n"
    for name, config in {"caught": catch, "painter": digits}.items():
        RunFolder.create(tmp_path / "runs", name, config=f"steps: 1\n{config}", command=[])
    said = sit_down("play", *words)
    assert said.code == 2
    assert said.err.startswith(f"error: {complaint}")


CATCH = [
    "catch_dqn",
    "agent.backbone={name: mlp, hidden: [8]}",
    "agent.stream.replay={num_envs: 2, capacity: 400, warmup: 20, update_period: 8}",
    "steps=60",
    "evaluate_period=0",
    "logger.wandb=off",
    "threads=1",
]


def recorded(tmp_path):
    """Write demonstrations of four steps of Catch to demos.npz."""
    from sandbox.envs.catch import CatchConfig
    from sandbox.viewer.demonstration_recorder import DemonstrationRecorder
    from sandbox.viewer.episode import Game, PlayerSlot
    from sandbox.viewer.keyboard import KeyboardController

    config = CatchConfig()
    env = config.make(1)
    metadata = {"env": config.model_dump(mode="json"), "id": "Sandbox/Catch-v0"}
    demos = DemonstrationRecorder(tmp_path / "demos.npz", metadata)
    game = Game(env, [PlayerSlot(None, KeyboardController(env.controls[0]))])
    frame = game.start(0)
    for _ in range(4):
        frame, transition = game.step(frame)
        demos.add(transition)
    assert demos.close().startswith("4 steps in ")


def test_what_a_person_did_is_recorded(sit_down, tmp_path):
    said = sit_down("play", "catch", "--record", "demos.npz")
    assert said.out.splitlines() == [
        "seed 0: return 0 in 2 steps (left early)",
        "2 steps in demos.npz; learn from them: sandbox train CONFIG demos=demos.npz",
    ]
    again = sit_down("play", "catch", "--record", "demos.npz")
    assert again.err == "error: --record: demos.npz exists already; choose another name, such as demos-2.npz\n"
    wrong = sit_down("play", "pong", "players=2", "--record", "other.npz")
    assert wrong.err == "error: --record: demonstrations have one player; leave out players=2\n"


def test_an_agent_learns_from_a_person(sandbox, tmp_path, monkeypatch):
    """The replay starts with the demonstrations, and training from the run's config gives the same bits."""
    recorded(tmp_path)
    done = sandbox("train", *CATCH, "demos=demos.npz")
    assert (done.code, "the replay buffer starts with 4 demonstrated steps" in done.err) == (0, True)
    config = (tmp_path / "runs" / "catch_dqn_s0" / "config.yaml").read_text()
    assert f"demos: {tmp_path / 'demos.npz'}\n" in config
    assert sandbox("train", str(tmp_path / "runs" / "catch_dqn_s0" / "config.yaml"), "name=again").code == 0
    first, second = (digests(tmp_path / "runs" / name) for name in ("catch_dqn_s0", "again"))
    assert first == second
    assert sandbox("train", *CATCH, "name=alone").code == 0
    assert digests(tmp_path / "runs" / "alone") != first
    assert sandbox("resume", "catch_dqn_s0", "--steps", "80").code == 0  # the replay is in the checkpoint
    (tmp_path / "demos.npz").unlink()
    assert sandbox("resume", "catch_dqn_s0", "--steps", "100").code == 0


def digests(run):
    import json

    newest = sorted((run / "checkpoints").iterdir())[-1]
    files = json.loads((newest / "manifest.json").read_text())["files"]
    return {name: digest for name, digest in files.items() if name.startswith(("learner", "stream.replay"))}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            [*CATCH, "env.blind=true"],
            "was recorded with other options than this run's env: blind was false. "
            "Record demonstrations with `sandbox play catch blind=true --record FILE`",
        ),
        (
            ["pong_dqn", *CATCH[1:]],
            "was recorded in Sandbox/Catch-v0, but this run's environment is Sandbox/Pong-v0. "
            "Record demonstrations with `sandbox play pong --record FILE`",
        ),
        ([*CATCH, "demos_sha256=abc"], "is not the file that this config was made with (demos_sha256 differs). "),
        (["digits_vae", "steps=60"], "only a run that trains an agent has this option; leave it out"),
        (
            ["catch_random", "steps=60"],
            "this agent has no replay buffer to fill. Use dqn, double_dqn, rainbow, iqn, drqn or darqn",
        ),
    ],
)
def test_demonstrations_that_do_not_fit_are_refused(sandbox, tmp_path, words, complaint):
    recorded(tmp_path)
    said = sandbox("train", *words, "demos=demos.npz", "logger.wandb=off")
    assert said.code == 2
    assert complaint in said.err
    assert not (tmp_path / "runs").exists()
