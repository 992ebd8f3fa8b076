"""Image sizes under repeated halving."""

from collections.abc import Sequence

from sandbox.core.errors import UserError


def halved_sides(shape: Sequence[int], times: int, name: str) -> list[tuple[int, int]]:
    """Return height and width of images [C, H, W] before the first halving and after each; halving rounds down.

    Args:
        shape: Shape of the images.
        times: Number of halvings.
        name: Name of the network in the error message.

    Raises:
        UserError: if a side has no pixel left.
    """
    if min(shape[1:]) < 2**times:
        raise UserError(
            f"a {name} that halves {times} times needs images of at least {2**times}x{2**times}, but these are "
            f"{shape[1]}x{shape[2]}. Give it fewer channels."
        )
    return [(shape[1] >> i, shape[2] >> i) for i in range(times + 1)]
