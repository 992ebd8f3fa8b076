"""Runs in environments of others: successes, refusals without a trace, resumes, and frames that are missing."""

import json
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces


class Task(gymnasium.Env[Any, Any]):
    """Ten steps; right actions are a success. It may exit, draw from what nothing seeds, or show windows only."""

    observation_space, action_space = spaces.Box(-1, 1, (4,)), spaces.Discrete(3)
    metadata: ClassVar = {"render_modes": ["human"]}
    opened = closed = most_open = 0

    def __init__(self, exits: int = 0, restless: bool = False) -> None:
        self.exits, self.restless, self.all = exits, restless, 0
        Task.opened += 1
        Task.most_open = max(Task.most_open, Task.opened - Task.closed)

    def close(self) -> None:
        Task.closed += 1

    def _shown(self) -> np.ndarray:
        draws = np.random.default_rng() if self.restless else self.np_random
        return draws.uniform(-1, 1, 4).astype(np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.now = 0
        return self._shown(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.now += 1
        self.all += 1
        if self.all == self.exits:
            raise SystemExit(0)
        return self._shown(), 1.0, self.now == 10, False, {"is_success": self.now == 10}


gymnasium.register("Task-v0", Task)
TRAIN = ["train", "catch_dqn", "agent.backbone={name: mlp, hidden: [8]}", "agent.frame_stack=1", "name=run", "--quiet"]
REPLAY = ["agent.stream.replay.warmup=50", "agent.stream.replay.num_envs=1", "logger.wandb=off"]
PERIODS = ["steps=300", "log_period=50", "checkpoint_period=100", "evaluate_period=0"]


def env_of(**options: Any) -> str:
    return f"env={json.dumps({'name': 'gym', 'id': 'Task-v0', 'options': options})}"


def test_successes_are_logged_and_evaluated_as_a_rate(sandbox: Any, tmp_path: Path) -> None:
    """And every copy is closed, of which one was open at most; a note says that there are no videos."""
    Task.opened = Task.closed = Task.most_open = 0
    done = sandbox(*TRAIN, env_of(), *REPLAY, *PERIODS, "media_period=100")
    assert done.code == 0, done.err
    assert done.err.count("no videos are made: Task-v0 cannot be shown: it has no render_mode 'rgb_array'") == 1
    assert Task.opened == Task.closed > 0
    rows = [json.loads(line) for line in (tmp_path / "runs/run/metrics.jsonl").read_text().splitlines()]
    assert [row["env/success_rate"] for row in rows if "env/success_rate" in row][-1] == 1
    done = sandbox("evaluate", "run", "--episodes", "1", "--json")
    assert json.loads(done.out)["success_rate"] == 1
    assert Task.opened == Task.closed


def test_an_exit_in_a_step_is_an_error_that_names_the_environment(sandbox: Any, tmp_path: Path) -> None:
    done = sandbox(*TRAIN, env_of(exits=30), *REPLAY, *PERIODS)
    assert done.code == 2
    assert "error: env.id=Task-v0: step raised SystemExit: 0 (" in done.err
    assert not (tmp_path / "runs/run").exists()
    done = sandbox(*TRAIN, env_of(exits=250), *REPLAY, *PERIODS)
    assert done.code == 2
    assert (tmp_path / "runs/run/checkpoints").is_dir()  # what was saved stays


def test_an_environment_that_does_not_repeat_itself_resumes_with_new_episodes(sandbox: Any) -> None:
    done = sandbox(*TRAIN, env_of(restless=True), *REPLAY, *PERIODS, "steps=205")
    assert done.code == 0
    assert "env.id=Task-v0 does not repeat itself" in done.err
    done = sandbox("resume", "run", "--steps", "300", "--quiet")
    assert (done.code, "1 of 1 episodes cannot go on where they were saved" in done.err) == (0, True), done.err


def test_an_agent_that_cannot_choose_names_a_command_that_works(sandbox: Any, tmp_path: Path) -> None:
    import re
    import shlex

    done = sandbox("train", "catch_dqn", "env={name: gym, id: Pendulum-v1}", "steps=8", "agent.backbone.name=mlp")
    assert done.code == 2
    command = re.search(r"`sandbox (.*)`", done.err)
    assert command is not None
    assert not (tmp_path / "runs").exists()
    done = sandbox(*shlex.split(command[1]), "logger.wandb=off", "agent.options.sac.learning_starts=4", "--quiet")
    assert done.code == 0, done.err


@pytest.mark.parametrize("agent", ["q_learning", "sarsa"])
def test_tables_of_several_integers(agent: str, sandbox: Any) -> None:
    """The hint of the refusal is followed."""
    words = ["train", "env={name: gym, id: Blackjack-v1}", f"agent.name={agent}", "steps=40", "logger.wandb=off"]
    done = sandbox(*words, "--quiet")
    assert done.code == 2
    assert "env.observe=index, of a Gymnasium id with discrete observations" in done.err
    assert sandbox(*words, "env.observe=index", "--quiet").code == 0
