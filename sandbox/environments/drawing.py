"""Rectangles and digits for the pictures people see."""

import numpy as np

NIGHT, CHALK, SKY, CORAL, DIM = (15, 20, 40), (236, 240, 241), (92, 170, 255), (255, 127, 102), (44, 54, 84)

_DIGITS = (  # 3x5 bitmaps of 0-9, one octal digit a row
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

Colour = tuple[int, int, int]


def canvas(height: int, width: int, colour: Colour = NIGHT) -> np.ndarray:
    """[height, width, 3] uint8."""
    return np.full((height, width, 3), colour, np.uint8)


def rectangle(picture: np.ndarray, y: float, x: float, height: float, width: float, colour: Colour) -> None:
    """Fill a rectangle whose top left corner is (y, x); what lies outside the picture is cut off."""
    top, left = max(0, round(y)), max(0, round(x))
    picture[top : max(0, round(y + height)), left : max(0, round(x + width))] = colour


def number(picture: np.ndarray, y: int, x: int, value: int, size: int, colour: Colour) -> None:
    """Write `value` with its top left corner at (y, x), `size` pixels to a dot."""
    for place, digit in enumerate(str(value)):
        for row, bits in enumerate(_DIGITS[int(digit)]):
            for column in range(3):
                if bits >> (2 - column) & 1:
                    rectangle(picture, y + row * size, x + (place * 4 + column) * size, size, size, colour)
