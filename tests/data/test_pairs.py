"""Pairs of one's own images: who belongs to whom, and what is refused."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data.pairs import PairsConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS


def save(place: Path, level: int) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4), level).save(place)


def load(root: Path, **options: object) -> DataSet:
    config = PairsConfig.model_validate({"root": str(root), "size": 4, "color": "gray", **options})
    return config.make(Rng(0), NO_RUNS)


def fill(root: Path, count: int = 12) -> None:
    for number in range(count):
        save(root / "sources" / f"{number}.bmp", 100 + number)
        save(root / "images" / f"{number}.png", 200 + number)


def test_every_image_has_its_source(tmp_path: Path) -> None:
    fill(tmp_path)
    data = load(tmp_path, test_fraction=0.3)
    assert data.train_sources is not None
    assert data.test_sources is not None
    assert data.spec.source_shape == (3, 4, 4)
    assert torch.equal(data.train[:, 0] - 100, data.train_sources[:, 0])
    assert torch.equal(data.test[:, 0] - 100, data.test_sources[:, 0])
    assert len(data.train) + len(data.test) == 12


def test_what_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    save(tmp_path / "images" / "extra.png", 9)
    with pytest.raises(UserError, match=r"images without a partner of the same name: .*/images/extra.png\. Each"):
        load(tmp_path)
    (tmp_path / "images" / "extra.png").unlink()
    save(tmp_path / "images" / "1.gif", 9)
    with pytest.raises(UserError, match="have one name, so their partner is not clear"):
        load(tmp_path)
    with pytest.raises(UserError, match=r"has no folder A .*data.sources to the name"):
        load(tmp_path, sources="A")
