"""The feature classifier: reproducible, frozen, for images of any size, with normalized features."""

import pytest
import torch

from sandbox.evaluate.feature_extractor import ChannelwiseExtractor, num_classes
from sandbox.interfaces.dataset import DataSet
from sandbox.runs.feature_classifier import FEATURES, FeatureClassifier, new_network, train_classifier


def test_it_learns_the_classes_and_is_the_same_for_the_same_data(striped: DataSet) -> None:
    torch.manual_seed(0)
    one, error = train_classifier(striped)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    other, _ = train_classifier(striped)
    assert torch.equal(torch.get_rng_state(), state)
    assert error < 0.05
    weights, theirs = one.network.state_dict(), other.network.state_dict()
    assert all(torch.equal(weights[name], theirs[name]) for name in weights)
    assert not any(weight.requires_grad for weight in one.network.parameters())
    features = one.features(torch.cat([striped.train, striped.test]))
    assert features.shape == (400, FEATURES)
    torch.testing.assert_close(features.mean(0), torch.zeros(FEATURES), atol=1e-4, rtol=0)
    assert float(features.var(0).mean()) == pytest.approx(1.0, abs=1e-3)
    guesses = one.classify(striped.test)
    assert (guesses != striped.test_labels).double().mean() < 0.05
    floats = striped.test.float() / 255
    torch.testing.assert_close(one.features(floats), one.features(striped.test), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (1, 64, 8), (3, 64, 64), (2, 33, 17)])
def test_any_size(shape: tuple[int, ...]) -> None:
    network = new_network(shape, 5)
    images = torch.rand(2, *shape)
    assert FeatureClassifier.of(network, images).features(images).shape == (2, FEATURES)
    assert network(images).shape == (2, 5)
    assert sum(weight.numel() for weight in network.parameters()) < 200_000


def test_classes_are_those_of_both_parts(striped: DataSet) -> None:
    assert num_classes(striped) == 2
    assert num_classes(DataSet(striped.train, striped.test)) == 0
    labels = torch.zeros(100, dtype=torch.int64)
    labels[7] = 4
    assert num_classes(DataSet(striped.train, striped.test, False, striped.train_labels, labels)) == 5


class Brightness:
    """A feature extractor whose one feature is the first pixel, and whose class is ten times that pixel."""

    num_features, num_modes = 1, 0

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, :, 0, 0]

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        return (images[:, 0, 0, 0] * 10).long()


def test_channels_are_classified_one_by_one() -> None:
    """The first channel is the hundreds."""
    images = torch.tensor([[0.25, 0.05, 0.95], [0.05, 0.75, 0.15]])[:, :, None, None].expand(2, 3, 8, 8)
    extractor = ChannelwiseExtractor(Brightness(), 3)
    assert extractor.classify(images).tolist() == [209, 71]
    assert (extractor.num_features, extractor.num_modes) == (3, 1000)
    torch.testing.assert_close(extractor.features(images), images[:, :, 0, 0])


def test_the_published_weights() -> None:
    """Distances stay comparable with those of the results as long as the classifier begins with these weights."""
    network = new_network((1, 8, 8), 10)
    sums = [round(weight.detach().double().abs().sum().item(), 4) for weight in network.parameters()]
    assert sums == [24.6281, 3.0036, 191.6258, 1.4522, 724.7635, 1.5444, 38.9639, 0.415]
