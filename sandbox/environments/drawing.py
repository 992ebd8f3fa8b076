"""Rectangles and digits for rendered frames."""

import numpy as np

Color = tuple[int, int, int]

NIGHT: Color = (15, 20, 40)
CHALK: Color = (236, 240, 241)
SKY: Color = (92, 170, 255)
CORAL: Color = (255, 127, 102)
DIM: Color = (44, 54, 84)

_DIGITS = (  # 3x5 bitmaps of 0-9; one octal digit is a row.
    (7, 5, 5, 5, 7),
    (2, 6, 2, 2, 7),
    (7, 1, 7, 4, 7),
    (7, 1, 7, 1, 7),
    (5, 5, 7, 1, 1),
    (7, 4, 7, 1, 7),
    (7, 4, 7, 5, 7),
    (7, 1, 1, 1, 1),
    (7, 5, 7, 5, 7),
    (7, 5, 7, 1, 7),
)


def canvas(height: int, width: int, color: Color = NIGHT) -> np.ndarray:
    """Return a frame [height, width, 3], uint8, filled with one color."""
    return np.full((height, width, 3), color, np.uint8)


def rectangle(frame: np.ndarray, y: float, x: float, height: float, width: float, color: Color) -> None:
    """Fill a rectangle with its top left corner at (y, x); parts outside the frame are cut off."""
    top, left = max(0, round(y)), max(0, round(x))
    frame[top : max(0, round(y + height)), left : max(0, round(x + width))] = color


def number(frame: np.ndarray, y: int, x: int, value: int, size: int, color: Color) -> None:
    """Write `value` with its top left corner at (y, x); a dot of a digit is `size` pixels wide."""
    for place, digit in enumerate(str(value)):
        for row, bits in enumerate(_DIGITS[int(digit)]):
            for column in range(3):
                if bits >> (2 - column) & 1:
                    rectangle(frame, y + row * size, x + (place * 4 + column) * size, size, size, color)
