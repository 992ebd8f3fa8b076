import numpy as np
import pytest

from sandbox.environments.wrapper import blank
from sandbox.envs.catch import CatchConfig


@pytest.mark.parametrize("shape", [(), (3,), (1, 4, 4), (0,)])
@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.int64])
def test_observations_of_the_mask_are_zeros_and_others_stay(shape: tuple[int, ...], kind: type) -> None:
    observations: np.ndarray = np.full((5, *shape), 7, kind)
    mask = np.array([True, False, True, False, False])
    blank(observations, mask)
    assert (observations[mask] == 0).all()
    assert (observations[~mask] == 7).all()


def test_a_view_with_strides_is_written_through() -> None:
    whole = np.full((4, 3, 2), 7, np.float32)
    blank(whole.swapaxes(1, 2), np.array([False, True, False, False]))
    assert (whole[1] == 0).all()
    assert (whole[[0, 2, 3]] == 7).all()


def test_a_wrapper_that_passes_observations_stores_none_of_its_own() -> None:
    """Its state has those of the wrapper below, so that states of both kinds can be exchanged."""
    env = CatchConfig.model_validate({"wrappers": [{"flicker": {}}, {"sticky_actions": {}}]}).make(2)
    env.reset(seed=0)
    env.step(np.array([0, 1]))
    state = env.state_dict()
    assert np.array_equal(state["arrays"]["shown"], state["env"]["arrays"]["shown"])
    assert state["arrays"]["shown"].any()
