"""The pool of generated images for discriminators, and the source images kept for previews."""

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.generators._adversarial.image_pool import ImagePool
from sandbox.generators._images.preview_images import PreviewImages

CPU = choose("cpu")


def numbered(start: int, count: int) -> torch.Tensor:
    return torch.arange(start, start + count, dtype=torch.float32).view(count, 1, 1, 1)


def pool(size: int, choices: torch.Generator | None = None) -> ImagePool:
    return ImagePool(size, (1, 1, 1), CPU, choices or torch.Generator().manual_seed(0))


def test_a_pool_fills_before_it_gives() -> None:
    past = pool(5)
    for start in (1, 4):
        given = numbered(start, 3)
        assert torch.equal(past.exchange(given), given)
    assert past.state_dict()["images"].flatten().tolist() == [1, 2, 3, 4, 5]


def test_half_is_exchanged_and_nothing_is_lost_or_doubled() -> None:
    past, kept = pool(50), 0
    past.exchange(numbered(0, 50))
    for step in range(1, 101):
        before, given = past.state_dict()["images"], numbered(100 * step, 4)
        back = past.exchange(given)
        kept += int((back == given).sum())
        after = past.state_dict()["images"]
        everything = torch.cat([before, given]).flatten().sort().values
        assert torch.equal(torch.cat([after, back]).flatten().sort().values, everything)
    assert abs(kept / 400 - 0.5) < 0.1


def test_a_batch_larger_than_the_pool() -> None:
    past = pool(2)
    past.exchange(numbered(0, 2))
    given = numbered(10, 5)
    back = past.exchange(given)
    assert torch.equal(back[2:], given[2:])


def test_no_gradient_is_kept() -> None:
    past = pool(2)
    assert not past.exchange(numbered(0, 2).requires_grad_()).requires_grad
    assert not past.exchange(numbered(5, 2).requires_grad_()).requires_grad


def test_a_restored_pool_continues() -> None:
    choices, other_choices = torch.Generator().manual_seed(0), torch.Generator()
    past, other = pool(4, choices), pool(4, other_choices)
    past.exchange(numbered(0, 6))
    past.exchange(numbered(10, 3))
    state, choices_state = past.state_dict(), choices.get_state()
    rest = [past.exchange(numbered(start, 3)) for start in (20, 30)]
    other.load_state_dict(state)
    other_choices.set_state(choices_state)
    assert all(torch.equal(other.exchange(numbered(start, 3)), a) for start, a in zip((20, 30), rest, strict=True))


def test_the_first_source_images_are_kept() -> None:
    previews = PreviewImages((1, 1, 1), CPU, size=4)
    with pytest.raises(UserError) as refused:
        previews.first(1)
    assert str(refused.value) == (
        "this generator makes its samples from source images, and has seen none before its first update. "
        "Train it first."
    )
    previews.add(numbered(1, 3).to(torch.uint8))
    assert previews.first(5).flatten().tolist() == [1, 2, 3, 1, 2]
    previews.add(numbered(7, 3).to(torch.uint8))
    previews.add(numbered(20, 3).to(torch.uint8))
    assert previews.first(4).flatten().tolist() == [1, 2, 3, 7]
    other = PreviewImages((1, 1, 1), CPU, size=4)
    other.load_state_dict(previews.state_dict())
    other.add(numbered(50, 3).to(torch.uint8))
    assert other.first(4).flatten().tolist() == [1, 2, 3, 7]
