"""Rendered frames of any type as [H, W, 3] bytes."""

from typing import Any

import numpy as np

from sandbox.envs._gym.errors import MisfitError, type_name
from sandbox.envs._gym.parts import NUMBERS, array_of

DEFAULT_FPS = 30.0


def frame_of(rendered: Any) -> np.ndarray:
    """Return a frame [H, W, 3] uint8.

    Gray frames get three equal channels, an alpha channel is dropped, and floats up to 1 are scaled to 255.

    Raises:
        MisfitError: If it is no image.
    """
    if isinstance(rendered, list) and rendered and isinstance(rendered[-1], np.ndarray):
        rendered = rendered[-1]  # The render mode `rgb_array_list`.
    try:
        frame = array_of(rendered)
    except MisfitError:
        raise MisfitError(f"returned no frame but {type_name(rendered)}") from None
    if frame.dtype.kind not in NUMBERS or not frame.size:
        raise MisfitError(f"returned no frame but {type_name(rendered)}")
    if frame.ndim == 2:
        frame = frame[..., None]
    if frame.ndim == 3 and frame.shape[2] not in (1, 3, 4) and frame.shape[0] in (1, 3, 4):
        frame = frame.transpose(1, 2, 0)
    if frame.ndim != 3 or frame.shape[2] not in (1, 3, 4):
        raise MisfitError(f"returned no frame [H, W, 3] but an array of shape {np.shape(rendered)}")
    frame = _bytes(frame[..., :3])
    # A copy, because some environments render into the same array again and again.
    return np.array(np.broadcast_to(frame, (*frame.shape[:2], 3)), order="C")


def resized(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a frame in another size [H, W], by the nearest pixels: all frames of a video have one size."""
    if frame.shape[:2] == size:
        return frame
    rows, columns = (np.arange(new) * old // new for new, old in zip(size, frame.shape[:2], strict=True))
    return frame[rows][:, columns]


def fps_of(metadata: dict[str, Any]) -> float:
    """Return the frames per second of an environment's metadata, 30 if they are missing or no positive number."""
    given = metadata.get("render_fps")
    if isinstance(given, int | float | np.number) and not isinstance(given, bool) and 0 < given < np.inf:
        return float(given)
    return DEFAULT_FPS


def _bytes(frame: np.ndarray) -> np.ndarray:
    if frame.dtype == np.uint8:
        return frame
    if frame.dtype == np.bool_:
        return frame.astype(np.uint8) * 255
    low, high = float(frame.min()), float(frame.max())
    if not (low >= 0 and high <= 255):
        raise MisfitError(f"returned a frame of {frame.dtype} from {low:g} to {high:g}, which must be in 0 to 255")
    scale = 255 if frame.dtype.kind == "f" and high <= 1 else 1
    return (frame * scale).round().astype(np.uint8)
