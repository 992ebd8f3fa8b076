"""Registration with Gymnasium: ids, the module prefix, vector environments, and what they refuse."""

import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import sandbox.envs
from sandbox.environments.batch import BatchEnv
from sandbox.envs import id_of
from sandbox.runs import registry


def run(program: str) -> str:
    """Run a program in a fresh interpreter, in which no id is registered yet."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_register_envs_is_the_documented_way() -> None:
    said = run(
        "import gymnasium, sandbox.envs\n"
        "gymnasium.register_envs(sandbox.envs)\n"
        "print(gymnasium.make('Sandbox/Catch-v0').reset(seed=0)[0].shape)"
    )
    assert said == "(1, 84, 84)"


def test_an_id_with_its_module_needs_no_import() -> None:
    said = run(
        "import gymnasium\n"
        "name = 'sandbox.envs:Sandbox/Catch-v0'\n"
        "print(gymnasium.make(name).reset(seed=0)[0].shape)\n"
        "print(gymnasium.make_vec(name, num_envs=3).reset(seed=0)[0].shape)"
    )
    assert said.split("\n") == ["(1, 84, 84)", "(3, 1, 84, 84)"]


def test_without_an_import_the_id_is_unknown() -> None:
    said = run(
        "import gymnasium\n"
        "try:\n    gymnasium.make('Sandbox/Catch-v0')\n"
        "except gymnasium.error.NamespaceNotFound as error:\n    print(type(error).__name__)"
    )
    assert said == "NamespaceNotFound"


def test_every_environment_but_gym_is_registered_by_strings() -> None:
    for name in registry.names("envs"):
        if name == "gym":
            assert id_of(name) not in gymnasium.registry
            continue
        spec = gymnasium.spec(id_of(name))
        assert spec.entry_point == "sandbox.envs._gymnasium:SingleEnv"
        assert spec.vector_entry_point == "sandbox.envs._gymnasium:make_vector"
        assert spec.kwargs == {"name": name}


@pytest.mark.parametrize("mode", [*AutoresetMode, *(mode.value for mode in AutoresetMode)])
def test_make_vec_takes_every_autoreset_mode(mode: AutoresetMode | str) -> None:
    env = gymnasium.make_vec("Sandbox/Catch-v0", num_envs=2, blind=True, autoreset_mode=mode)
    assert isinstance(env, BatchEnv)
    assert env.metadata["autoreset_mode"] is AutoresetMode(mode)
    assert env.reset(seed=0)[0].shape == (2, 1, 84, 84)


def test_make_vec_renders_every_copy() -> None:
    env = gymnasium.make_vec("Sandbox/Catch-v0", num_envs=2, render_mode="rgb_array")
    env.reset(seed=0)
    frames: Any = env.render()
    assert [frame.shape for frame in frames] == [(440, 240, 3)] * 2
    assert np.array_equal(frames[1], env.render_frame(1))
    assert gymnasium.make_vec("Sandbox/Catch-v0", num_envs=2).render() is None


def test_wrappers_are_for_make_only() -> None:
    wrappers = [{"frame_stack": {"count": 2}}]
    assert gymnasium.make("Sandbox/Catch-v0", wrappers=wrappers).reset(seed=0)[0].shape == (2, 84, 84)
    with pytest.raises(
        gymnasium.error.Error, match=r"Cannot use `vector_entry_point` vectorization mode with the wrap"
    ):
        gymnasium.make_vec("Sandbox/Catch-v0", num_envs=2, wrappers=wrappers)


def test_a_state_can_be_saved_behind_gymnasiums_wrappers() -> None:
    env, other = gymnasium.make("Sandbox/Pong-v0"), gymnasium.make("Sandbox/Pong-v0")
    env.reset(seed=3), other.reset(seed=4)
    other.unwrapped.load_state_dict(env.unwrapped.state_dict())
    assert np.array_equal(env.step(1)[0], other.step(1)[0])


def test_the_package_says_how_to_use_it() -> None:
    assert "gymnasium.register_envs(sandbox.envs)" in (sandbox.envs.__doc__ or "")


def test_a_state_array_that_does_not_exist_is_named() -> None:
    env = gymnasium.make_vec("Sandbox/Catch-v0", num_envs=2)
    assert isinstance(env, BatchEnv)
    with pytest.raises(ValueError, match=r"^the state has no ball, bat; it has ball_y, ball_x, paddle$"):
        env.set_state_arrays(bat=1, ball=2)
