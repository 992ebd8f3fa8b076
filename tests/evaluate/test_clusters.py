"""Accuracies of clusters and of class-conditional samples, for images whose pixels are their classes."""

import pytest
import torch

from sandbox.core.rng import Rng
from sandbox.evaluate.clusters import class_accuracy, class_of, code_accuracy
from sandbox.evaluate.generators import evaluate_generator
from sandbox.interfaces.capabilities import ClassConditional, HasClusters
from sandbox.interfaces.dataset import DataSet

TRAIN = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 2], dtype=torch.uint8).view(-1, 1, 1, 1)
LABELS = torch.tensor([1, 1, 0, 0, 0, 0, 0, 0, 2, 2])
TEST = torch.tensor([0, 0, 1, 2], dtype=torch.uint8).view(-1, 1, 1, 1)


class Sorter(HasClusters, ClassConditional):
    """A generator whose clusters are the pixels' values."""

    def num_classes(self) -> int:
        return 3

    def cluster(self, images: torch.Tensor) -> torch.Tensor:
        return torch.eye(3)[images[:, 0, 0, 0].long()]

    def sample_of(self, labels: torch.Tensor) -> torch.Tensor:
        return (labels / 2).view(-1, 1, 1, 1)

    def sample(self, count: int) -> torch.Tensor:
        return torch.zeros(count, 1, 1, 1)


def classify(images: torch.Tensor) -> torch.Tensor:
    """Classify gray as class 1, everything else as class 0."""
    return torch.where(images[:, 0, 0, 0] == 0.5, 1, 0)


def data(test_labels: torch.Tensor | None = None) -> DataSet:
    return DataSet(TRAIN, TEST, train_labels=LABELS, test_labels=test_labels)


def test_each_class_names_one_cluster() -> None:
    """Classes 1, 0, 2 are right for 2 + 2 + 2 images; 1, 2, 0, with the majority of cluster 2, for 2 + 0 + 3 only."""
    assert class_of(Sorter(), data()).tolist() == [1, 0, 2]


def test_the_share_of_test_images_in_the_cluster_of_their_class() -> None:
    labels = torch.tensor([1, 0, 0, 2])
    found = code_accuracy(Sorter(), data(), TEST, labels)
    assert found["code_accuracy"] == 0.75
    assert found["code_accuracy_ci95"] == pytest.approx(1.96 * (0.75 * 0.25 / 3) ** 0.5)
    scores = evaluate_generator(Sorter(), data(labels), Rng(0))  # type: ignore[arg-type]
    assert scores["code_accuracy"] == 0.75


def test_generated_images_are_of_the_class_asked_for() -> None:
    """Samples of 0, 1, 2, 0 are classified as 0, 1, 0, 0; as clusters they stand for classes 1, 0, 2, 1."""

    class Asked(ClassConditional):
        def num_classes(self) -> int:
            return 3

        def sample_of(self, labels: torch.Tensor) -> torch.Tensor:
            return (labels / 2).view(-1, 1, 1, 1)

    assert class_accuracy(Asked(), data(), classify, 4)["class_accuracy"] == 0.75
    assert class_accuracy(Sorter(), data(), classify, 4)["class_accuracy"] == 0.0
