"""Every image once an epoch, in an order that can be restored."""

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataSet
from sandbox.streams.labeled import Labeled, LabeledConfig
from sandbox.streams.shuffled import Shuffled, ShuffledConfig

IMAGES = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1)


def stream(batch_size: int, rng: Rng | None = None) -> Shuffled:
    config = ShuffledConfig(batch_size=batch_size)
    return config.make(DataSet(IMAGES, IMAGES[:1]), None, rng or Rng(0), choose("cpu"))


def take(shuffled: Shuffled, count: int) -> list[list[int]]:
    return [next(shuffled).flatten().tolist() for _ in range(count)]


def test_an_epoch_has_every_image_once_and_the_next_another_order() -> None:
    shuffled = stream(5)
    epochs = [[*next(shuffled).flatten().tolist(), *next(shuffled).flatten().tolist()] for _ in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert shuffled.step == 6
    assert shuffled.metrics() == {"data/epoch": 3.0}


def test_an_incomplete_last_batch_is_dropped() -> None:
    shuffled = stream(4)
    first, second = take(shuffled, 2)
    assert len(set(first + second)) == 8
    assert shuffled.metrics() == {"data/epoch": 1.0}
    assert len(next(shuffled)) == 4


def test_batches_are_bytes_with_their_shape() -> None:
    batch = next(stream(3))
    assert batch.dtype == torch.uint8
    assert batch.shape == (3, 1, 1, 1)


@pytest.mark.parametrize("done", [0, 1, 2, 3, 5])
def test_restored_in_the_middle_it_goes_on(done: int) -> None:
    rng = Rng(3)
    whole = stream(3, rng)
    take(whole, done)
    state, randomness = whole.parts()["shuffle"].state_dict(), rng.state_dict()
    rest = take(whole, 8)
    other = Rng(3)
    resumed = stream(3, other)
    take(resumed, 4)
    resumed.parts()["shuffle"].load_state_dict(state)
    other.load_state_dict(randomness)
    assert resumed.step == done
    assert take(resumed, 8) == rest
    assert resumed.metrics() == whole.metrics()


@pytest.mark.parametrize("digest", ["0" * 64, "f" * 64])
def test_a_run_on_other_images_is_refused(digest: str) -> None:
    shuffled = stream(3)
    state = shuffled.state_dict()
    assert len(state["data"]) == 64
    assert (state["step"], state["order"].tolist()) == (0, [])  # no epoch has begun
    with pytest.raises(UserError, match=r"^the training images are not those that this run began with"):
        shuffled.load_state_dict(state | {"data": digest})


def test_a_batch_larger_than_the_set() -> None:
    with pytest.raises(UserError) as refused:
        stream(11)
    assert str(refused.value) == (
        "generator.stream.batch_size=11 is more than the 10 training images. "
        "Set generator.stream.batch_size to at most 10."
    )


def test_labels_go_with_their_images() -> None:
    data = DataSet(IMAGES, IMAGES[:1], train_labels=torch.arange(10) % 4)
    assert data.spec.num_classes == 4
    stream = LabeledConfig(batch_size=5).make(data, None, Rng(0), choose("cpu"))
    batches = [next(stream), next(stream)]
    for images, labels, _ in batches:
        assert torch.equal(labels, images.flatten().long() % 4)
    assert sorted(torch.cat([images for images, *_ in batches]).flatten().tolist()) == list(range(10))


def test_a_set_without_labels() -> None:
    batch = next(LabeledConfig(batch_size=5).make(DataSet(IMAGES, IMAGES[:1]), None, Rng(0), choose("cpu")))
    assert (batch.labels, batch.numbers) == (None, None)
    assert len(batch.images) == 5


def test_points_cannot_be_binarized() -> None:
    points = torch.rand(10, 2)
    with pytest.raises(UserError) as refused:
        ShuffledConfig(batch_size=2, resample=True).make(DataSet(points, points), None, Rng(0), choose("cpu"))
    assert str(refused.value) == (
        "generator.stream.resample=true binarizes images, but these data are points. "
        "Leave it out, or choose a data set of images."
    )


@pytest.mark.parametrize("config", [ShuffledConfig, LabeledConfig])
def test_grays_drawn_anew(config: type[ShuffledConfig | LabeledConfig]) -> None:
    grays = torch.tensor([0, 51, 255], dtype=torch.uint8).expand(4, 3).reshape(4, 1, 1, 3)
    stream = config(batch_size=4, resample=True).make(DataSet(grays, grays), None, Rng(0), choose("cpu"))
    drawn = [next(stream) for _ in range(3_000)]
    batches = torch.stack([batch.images if isinstance(batch, Labeled) else batch for batch in drawn])
    assert batches.dtype == torch.uint8
    assert batches.unique().tolist() == [0, 255]
    shares = (batches == 255).double().mean((0, 1, 2, 3))
    assert (shares[0], shares[2]) == (0, 1)
    assert abs(shares[1] - 0.2) < 0.012
    assert not torch.equal(batches[0], batches[1]) or not torch.equal(batches[1], batches[2])


@pytest.mark.parametrize("config", [ShuffledConfig, LabeledConfig])
def test_batch_norm_needs_two_images(config: type[ShuffledConfig | LabeledConfig]) -> None:
    class Learner:
        network: torch.nn.Module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2))

        def parts(self) -> dict[str, torch.nn.Module]:
            return {"network": self.network}

    learner = Learner()
    with pytest.raises(UserError) as refused:
        config(batch_size=1).make(DataSet(IMAGES, IMAGES), learner, Rng(0), choose("cpu"))  # type: ignore[arg-type]
    assert str(refused.value) == (
        "generator.stream.batch_size=1: this generator has batch norms, which need the variance of several images. "
        "Set generator.stream.batch_size to 2 or more."
    )
    learner.network = torch.nn.Conv2d(1, 2, 1)
    config(batch_size=1).make(DataSet(IMAGES, IMAGES), learner, Rng(0), choose("cpu"))  # type: ignore[arg-type]
