"""Images that a notebook displays."""

import io

import numpy as np
from PIL import Image


class ShownImage:
    """An image [H, W, 3] uint8, in `array`."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def save(self, path: str) -> None:
        """Write the image to a file; the suffix chooses the format."""
        Image.fromarray(self.array).save(path)

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        Image.fromarray(self.array).save(file, format="PNG")
        return file.getvalue()
