"""The classifiers beside the runs: each is trained once, at first use, then frozen, and known by its hash.

`<folder>/<data>_<hash of its config>/` has `weights.safetensors` and `judge.json`, with the SHA-256 of the images and
labels that it was trained on, and of its weights. A folder is written whole or not at all.
"""

import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.evaluate.feature_classifier import FeatureClassifier, Network, learn, num_classes
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.storage.files import flush, sha256

FORMAT = "sandbox-judge-1"
_CARD, _WEIGHTS = "judge.json", "weights.safetensors"
_ENTRIES = ("format", "data_sha256", "weights_sha256")


@dataclass(frozen=True)
class StoredClassifier:
    """A classifier with its name: what its figures are good for, and what they cannot be compared with."""

    judge: FeatureClassifier
    name: str


class ClassifierStore:
    """Those in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, config: DataConfig, data: DataSet) -> StoredClassifier:
        """The classifier of `data`, which `config` has made; trained now, if there is none yet.

        Raises:
            UserError: if there is one of other data, or one that was changed or cannot be read.
        """
        text = json.dumps(config.model_dump(mode="json"), sort_keys=True)
        stem = f"{config.name}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        place, digest = self._folder / stem, digest_of(data)
        if not place.exists():
            self._train(place, text, data, digest)
        return _read(place, data, digest)

    def _train(self, place: Path, config: str, data: DataSet, digest: str) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / f".{place.name}.lock"):  # another evaluation may be training the same one
                if not place.exists():
                    _train(place, config, data, digest)
        except (OSError, SafetensorError) as error:
            raise UserError(
                f"could not save the classifier of these data in {place}: {error}. Make room or give write access."
            ) from error


def digest_of(data: DataSet) -> str:
    """SHA-256 of all images and labels, with their shapes."""
    digest = hashlib.sha256()
    for part in (data.train, data.train_labels, data.test, data.test_labels):
        if part is not None:
            digest.update(f"{part.dtype} {list(part.shape)}".encode())
            digest.update(part.contiguous().numpy().data)
    return digest.hexdigest()


def _train(place: Path, config: str, data: DataSet, digest: str) -> None:
    note("training a classifier of these data, once, for the Fréchet classifier distance and its kin ...")
    began = time.perf_counter()
    judge, error = learn(data)
    temporary = place.with_name(f".writing_{place.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    weights = {name: weight.contiguous() for name, weight in judge.network.state_dict().items()}
    save_file(weights, temporary / _WEIGHTS)
    card: dict[str, Any] = {
        "format": FORMAT,
        "data": json.loads(config),
        "data_sha256": digest,
        "weights_sha256": sha256(temporary / _WEIGHTS),
        "error": error,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    (temporary / _CARD).write_text(json.dumps(card, indent=1))
    for path in (temporary / _WEIGHTS, temporary / _CARD, temporary):
        flush(path)
    temporary.rename(place)
    note(f"it took {time.perf_counter() - began:.0f} s, has {error:.2%} of them wrong, and stays in {place}")


def _read(place: Path, data: DataSet, digest: str) -> StoredClassifier:
    """Raises UserError unless it is whole and was trained on `data`, which have this digest."""
    again = f"To train a new one, with which earlier figures cannot be compared: rm -r {place}"
    try:
        card = json.loads((place / _CARD).read_text())
    except (OSError, ValueError):
        card = None
    if not isinstance(card, dict) or not all(isinstance(card.get(name), str) for name in _ENTRIES):
        raise UserError(f"{place / _CARD} cannot be read. {again}")
    if card["format"] != FORMAT:
        raise UserError(f"{place / _CARD} is not a {FORMAT}. {again}")
    if card["data_sha256"] != digest:
        raise UserError(
            f"the classifier in {place} was trained on other data (SHA-256 {card['data_sha256'][:8]}...) than these "
            f"({digest[:8]}...): they have changed since. {again}"
        )
    weights = place / _WEIGHTS
    if not weights.is_file() or sha256(weights) != card["weights_sha256"]:
        raise UserError(f"{weights} is missing, cut short or changed: its SHA-256 is not that of {_CARD}. {again}")
    network = Network(data.spec.shape, num_classes(data))
    network.load_state_dict(load_file(weights))
    return StoredClassifier(FeatureClassifier(network), f"{place.name}, weights {card['weights_sha256'][:8]}")
