"""The sides of images that are halved and halved again."""

from collections.abc import Sequence

from sandbox.core.errors import UserError


def halved_sides(shape: Sequence[int], times: int, name: str) -> list[tuple[int, int]]:
    """Height and width of images [C, H, W] before and after each halving, which rounds down.

    Raises:
        UserError: if there is nothing left to halve; `name` is the network's.
    """
    if min(shape[1:]) < 2**times:
        raise UserError(
            f"a {name} that halves {times} times needs images of at least {2**times}x{2**times}, but these are "
            f"{shape[1]}x{shape[2]}. Give it fewer channels."
        )
    return [(shape[1] >> i, shape[2] >> i) for i in range(times + 1)]
