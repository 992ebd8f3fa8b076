"""Atari's worker processes: they change no result, nothing hangs, and no process is left over."""

import gc
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from sandbox.core.errors import UserError
from sandbox.envs._atari.emulators import Emulators
from sandbox.envs.atari import Atari, AtariConfig


def make(num_envs: int = 3, workers: int = 2, **options) -> Atari:
    return AtariConfig(workers=workers, **options).make(num_envs)


def processes(env: Atari) -> list[psutil.Process]:
    return [psutil.Process(process.pid) for process in env.pool.processes]


def end(process: psutil.Process, seconds: float = 10.0) -> bool:
    """Return whether the process is gone within so many seconds."""
    try:
        process.wait(seconds)
    except psutil.TimeoutExpired:
        return False
    return True


@pytest.mark.attack
@pytest.mark.parametrize("protocol", ["nature2015", "machado2018"])
def test_results_do_not_depend_on_the_number_of_workers(protocol: str) -> None:
    envs = [make(5, workers, game="breakout", protocol=protocol) for workers in (1, 2, 3)]
    random = np.random.default_rng(0)
    first, *others = [env.reset(seed=3)[0] for env in envs]
    assert all(np.array_equal(first, other) for other in others)
    for step in range(80):
        actions = random.integers(0, envs[0].single_action_space.n, 5)
        first, *others = [env.step(actions) for env in envs]
        for other in others:
            assert all(np.array_equal(a, b) for a, b in zip(first[:4], other[:4], strict=True))
            assert np.array_equal(first[4]["life_lost"], other[4]["life_lost"])
        ended = first[2] | first[3] | (random.random(5) < 0.02)
        if ended.any():
            first, *others = [env.reset(options={"reset_mask": ended})[0] for env in envs]
            assert all(np.array_equal(first, other) for other in others)
        if step == 40:
            states = [env.state_dict() for env in envs]
            for state in states[1:]:
                assert all(np.array_equal(state[name], states[0][name]) for name in states[0])
            envs[0].load_state_dict(states[2])
            envs[2].load_state_dict(states[1])
    for index in range(5):
        assert all(np.array_equal(env.render_frame(index), envs[0].render_frame(index)) for env in envs)
    for env in envs:
        env.close()


def test_a_restored_frame_has_the_colors_of_all_workers() -> None:
    """The restored frame has a color that only games of the first worker have shown."""
    env, other, random = make(2, game="seaquest"), make(2, 1, game="seaquest"), np.random.default_rng(0)

    def colors(index: int) -> set[int]:
        return set(np.unique(env.render_frame(index)[::2, ::3] @ np.array([65_536, 256, 1])).tolist())

    env.reset(seed=0)
    start = colors(1)
    for _ in range(300):
        if (ended := np.logical_or(*env.step(random.integers(0, 18, 2))[2:4])).any():
            env.reset(options={"reset_mask": ended})
        if colors(0) - start:
            break
    env.reset(seed=[None, 1], options={"reset_mask": np.array([False, True])})
    assert colors(0) - colors(1)
    other.load_state_dict(env.state_dict())
    assert all(np.array_equal(other.render_frame(index), env.render_frame(index)) for index in range(2))
    env.close()


def test_one_environment_needs_no_worker() -> None:
    assert AtariConfig().processes(1) == AtariConfig(workers=4).processes(1) == 1
    assert AtariConfig(workers=3).processes(8) == 3
    assert not processes(make(1, 4))


def test_close_ends_the_workers() -> None:
    env = make(3, 3)
    workers = processes(env)
    assert len(workers) == 2
    env.close()
    assert all(end(worker) for worker in workers)
    with pytest.raises(RuntimeError, match=r"^this environment was closed$"):
        env.reset()
    env.close()


def test_a_forgotten_environment_ends_its_workers() -> None:
    env = make()
    [worker] = processes(env)
    del env
    gc.collect()
    assert end(worker)


@pytest.mark.parametrize("name", ["step", "reset", "state_dict"])
def test_a_killed_worker_is_an_error_and_no_hang(name: str) -> None:
    env = make()
    env.reset(seed=0)
    [worker] = processes(env)
    worker.kill()
    calls = {"step": lambda: env.step(np.array([0, 1, 2])), "reset": env.reset, "state_dict": env.state_dict}
    with pytest.raises(UserError, match=rf"an Atari worker process \(pid {worker.pid}\) died with exit code -9"):
        calls[name]()
    with pytest.raises(RuntimeError, match="this environment was closed"):
        calls[name]()


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    env = make()
    env.reset(seed=0)
    [worker] = processes(env)
    with pytest.raises(RuntimeError, match=r"(?s)an Atari worker failed:.*Traceback.*ValueError"):
        env.pool.call("step", [None, (np.zeros((1, 4), np.int64), np.zeros(2, np.int64))])
    assert end(worker)


def test_an_interrupted_step_leaves_no_answer_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C between a call and its answer, a later call must not receive the old answer."""

    def step(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Emulators, "step", step)  # in this process only
    env = make()
    env.reset(seed=0)
    [worker] = processes(env)
    with pytest.raises(KeyboardInterrupt):
        env.step(np.array([0, 1, 2]))
    with pytest.raises(RuntimeError, match="this environment was closed"):
        env.reset()
    assert end(worker)


PROGRAM = """
import os, sys, time
from sandbox.envs.atari import AtariConfig
env = AtariConfig(workers=2).make(2)
env.reset(seed=0)
print(env.pool.processes[0].pid, flush=True)
{then}
"""


@pytest.mark.attack
@pytest.mark.parametrize("then", ["time.sleep(60)", "while True: env.step(env.action_space.sample() * 0); env.reset()"])
def test_a_killed_caller_leaves_nothing_behind(then: str) -> None:
    caller = subprocess.Popen([sys.executable, "-c", PROGRAM.format(then=then)], stdout=subprocess.PIPE, text=True)
    worker = psutil.Process(int(caller.stdout.readline()))
    time.sleep(0.2)
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    caller.stdout.close()
    assert end(worker)


def test_a_program_that_just_ends_or_forks_is_fine() -> None:
    """No guard of `__main__` is needed, and a fork of the caller does not end its parent's workers."""
    fork = "pid = os.fork()\nif not pid: del env; sys.exit()\nos.waitpid(pid, 0)\nenv.step([0, 0])\nprint('played')"
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM.format(then=fork)], capture_output=True, text=True, timeout=60
    )
    assert (told.returncode, told.stderr) == (0, "")
    pid, said = told.stdout.split()
    assert said == "played"
    deadline = time.monotonic() + 10
    while psutil.pid_exists(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not psutil.pid_exists(int(pid))


def test_workers_compute_on_one_thread_each() -> None:
    env = make(2)
    [worker] = processes(env)
    assert worker.environ()["OMP_NUM_THREADS"] == "1"
    assert os.getpgid(worker.pid) != os.getpgid(0)  # Ctrl-C is for the caller
