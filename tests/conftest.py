"""One thread a test process (xdist runs several), no window, nothing of the user's W&B."""

import os

os.environ.update(
    SDL_VIDEODRIVER="dummy", SDL_AUDIODRIVER="dummy", WANDB_MODE="disabled", PYGAME_HIDE_SUPPORT_PROMPT="1"
)

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture
def cpu() -> torch.device:
    return torch.device("cpu")
