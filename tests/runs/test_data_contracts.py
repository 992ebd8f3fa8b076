"""Contracts of data sets: those of this package keep them, and each is broken on purpose."""

from dataclasses import replace

import pytest
import torch

from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataSet
from sandbox.runs import registry
from sandbox.runs.build import RunsIn
from sandbox.runs.contracts.broken import BrokenContractError
from sandbox.runs.contracts.data_sets import CONTRACTS

FILES = {"hub", "idx", "images", "mnist", "pairs", "stacked_mnist"}  # which need files; each has tests of its own
SMALL = {
    "colors": {"count": 60},
    "edges": {"count": 60},
    "frames": {"count": 60, "env": {"name": "catch"}},
    "ising": {"count": 20, "test_count": 10},
}
IMAGES = torch.randint(256, (30, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(20) % 3
GOOD = DataSet(IMAGES[:20], IMAGES[20:])
LABELED = GOOD.labeled(LABELS, LABELS[:10], ("a", "b", "c"))
PAIRED = replace(GOOD, train_sources=IMAGES[:20], test_sources=IMAGES[20:])
POINTS = DataSet(torch.rand(20, 2), torch.rand(10, 2))
BROKEN = [
    (replace(GOOD, test=IMAGES[:0]), "`test` is empty"),
    (replace(GOOD, train=IMAGES[:20].float()), "`train` must be images, uint8 [N, C, H, W], or points, float32 [N, D]"),
    (replace(GOOD, train=IMAGES[:20, 0]), "images in `train` must be uint8 [N, C, H, W] with 1 or 3 channels, got"),
    (replace(GOOD, test=IMAGES[20:, :, :4]), "`train` has items uint8 [N, 1, 8, 8], `test` has items uint8 [N, 1, 4"),
    (replace(GOOD, binary=True), "`binary` is true, so all bytes must be 0 or 255"),
    (DataSet(IMAGES[:20] * 0 + 1, IMAGES[20:] * 0 + 1, binary=True), "must be 0 or 255, but there are [1]"),
    (DataSet(IMAGES[:20] % 2 * 254 + 1, IMAGES[20:] * 0, binary=True), "must be 0 or 255, but there are [1]"),
    (replace(POINTS, test=2 * POINTS.test), "points in `test` must lie in [0, 1], they go from"),
    (replace(POINTS, train=POINTS.train * torch.nan), "points in `train` must lie in [0, 1]"),
    (replace(LABELED, test_labels=None), "label both `train` and `test`, or none"),
    (replace(LABELED, train_labels=LABELS[:19]), "`train_labels` must be int64 of shape (20,), got int64 [N] with 19"),
    (replace(LABELED, train_labels=LABELS.int()), "`train_labels` must be int64 of shape (20,), got int32 [N]"),
    (replace(LABELED, test_labels=LABELS[:10] + 1), "`test_labels` go from 1 to 3, but there are 3 classes, from 0 on"),
    (replace(LABELED, test_labels=LABELS[:10] - 1), "`test_labels` go from -1 to 1, but there are 3 classes"),
    (replace(PAIRED, test_sources=None), "give source images to both parts, or to none"),
    (replace(PAIRED, train_sources=IMAGES[:9]), "`train_sources` are 9 for 20 images, but they are paired"),
    (replace(PAIRED, test_sources=IMAGES[20:].float()), "`test_sources` must be uint8 [N, C, H, W], got float32"),
]


@pytest.mark.parametrize("name", [name for name in registry.names("data") if name not in FILES])
def test_data_sets_keep_their_contracts(name, tmp_path):
    config = registry.config_class("data", name).model_validate(SMALL.get(name, {}))
    for contract in CONTRACTS:
        contract(lambda rng: config.make(rng, RunsIn(tmp_path)))


@pytest.mark.parametrize("data", [GOOD, LABELED, PAIRED, POINTS, replace(PAIRED, paired=False)])
def test_good_data_keep_the_contracts(data):
    for contract in CONTRACTS:
        contract(lambda _: data)


@pytest.mark.parametrize(("data", "said"), BROKEN)
def test_a_broken_contract_is_named(data, said):
    problems = []
    for contract in CONTRACTS:
        try:
            contract(lambda _: data)
        except BrokenContractError as problem:
            problems.append(str(problem))
    assert len(problems) >= 1
    assert any(said in problem for problem in problems), problems


def test_draws_from_the_global_generator_are_named():
    def make(rng: Rng) -> DataSet:
        return DataSet(torch.rand(4, 2), POINTS.test)

    with pytest.raises(BrokenContractError, match="`train` differs between two data sets made with"):
        CONTRACTS[-1](make)


def test_unseeded_labels_are_named():
    def make(rng: Rng) -> DataSet:
        return replace(LABELED, train_labels=torch.randint(3, (20,)))

    with pytest.raises(BrokenContractError, match="`train_labels` differs between two data sets made"):
        CONTRACTS[-1](make)


def test_the_command_checks_a_data_set_with_options(sandbox):
    said = sandbox("check", "gaussian_grid", "data.side=3")
    assert said.code == 0
    assert said.out.count("ok      ") == len(CONTRACTS)
