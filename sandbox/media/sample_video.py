"""Videos of how a generator's samples changed during training."""

from pathlib import Path

import numpy as np
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.media.video import VideoWriter

_FPS = 5
_LAST_FRAMES = 10  # number of frames for which the last image is shown


def record_sample_video(images: list[Path], path: Path, run: str) -> None:
    """Write images, one after another, as a video (.gif, .mp4, .webm); the last one is shown for two seconds.

    Args:
        images: PNG files of one size, in the order of training.
        path: The video's file.
        run: The run's name, for messages.

    Raises:
        UserError: If there are fewer than two images, or the path has another suffix.
    """
    if len(images) < 2:
        found = "only one image" if images else "no images"
        raise UserError(
            f"{run} has {found} from its training, and a video needs two. An image is saved every media_period "
            "updates: train with a smaller one, e.g. media_period=500."
        )
    with VideoWriter(path, _FPS) as video:
        for image in [*images, *[images[-1]] * (_LAST_FRAMES - 1)]:
            with Image.open(image) as opened:
                video.write(np.array(opened.convert("RGB")))
