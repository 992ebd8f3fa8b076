"""Feature classifiers on disk: one for each data set, trained at first use and then frozen.

The folder `<data set>_<hash of its config>/` holds `weights.safetensors` and `classifier.json`, which records the
SHA-256 of the weights and of the images and labels that they were trained on. Such a folder is written whole or not at
all.
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
from sandbox.core.progress import progress
from sandbox.evaluate.feature_extractor import num_classes
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.runs.feature_classifier import FeatureClassifier, new_network, train_classifier
from sandbox.storage.files import flush, sha256

FORMAT = "sandbox-classifier-1"
_INFO, _WEIGHTS = "classifier.json", "weights.safetensors"
_REQUIRED = ("format", "data_sha256", "weights_sha256")


@dataclass(frozen=True)
class StoredClassifier:
    """A classifier and the name under which results are reported; results of two names are not comparable."""

    classifier: FeatureClassifier
    name: str


class FeatureClassifierStore:
    """The classifiers in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, config: DataConfig, data: DataSet) -> StoredClassifier:
        """Return the classifier of a data set, and train it first if there is none yet.

        Args:
            config: The config that `data` was made from; it identifies the classifier.
            data: The data set.

        Raises:
            UserError: If the stored classifier was trained on other data, has been changed, or cannot be read; or if a
                new one cannot be saved.
        """
        text = json.dumps(config.model_dump(mode="json"), sort_keys=True)
        folder = self._folder / f"{config.name}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        digest = data_digest(data)
        if not folder.exists():
            self._train(folder, text, data, digest)
        return _read(folder, data, digest)

    def _train(self, folder: Path, config: str, data: DataSet, digest: str) -> None:
        """Train and save a classifier, unless another process has done so in the meantime."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Another process may be training the same classifier at this moment.
            with FileLock(self._folder / f".{folder.name}.lock"):
                if not folder.exists():
                    _train_and_save(folder, config, data, digest)
        except (OSError, SafetensorError) as error:
            raise UserError(
                f"cannot save the classifier of this data set in {folder}: {error}. "
                "Free some space or give write access."
            ) from error


def data_digest(data: DataSet) -> str:
    """Return the SHA-256 of all images and labels, including their shapes."""
    digest = hashlib.sha256()
    for part in (data.train, data.train_labels, data.test, data.test_labels):
        if part is not None:
            digest.update(f"{part.dtype} {list(part.shape)}".encode())
            digest.update(part.contiguous().numpy().data)
    return digest.hexdigest()


def _train_and_save(folder: Path, config: str, data: DataSet, digest: str) -> None:
    """Train a classifier, and write its folder, whole or not at all; `config` is JSON."""
    note("training a classifier of this data set, once, for the Fréchet classifier distance and related metrics ...")
    began = time.perf_counter()
    with progress.phase("training the feature classifier"):
        classifier, error = train_classifier(data)
    temporary = folder.with_name(f".writing_{folder.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    save_file(_weights(classifier), temporary / _WEIGHTS)
    info: dict[str, Any] = {
        "format": FORMAT,
        "data": json.loads(config),
        "data_sha256": digest,
        "weights_sha256": sha256(temporary / _WEIGHTS),
        "error": error,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    (temporary / _INFO).write_text(json.dumps(info, indent=1))
    for path in (temporary / _WEIGHTS, temporary / _INFO, temporary):
        flush(path)
    temporary.rename(folder)
    note(
        f"trained the classifier in {time.perf_counter() - began:.0f} s; it misclassifies {error:.2%} of the images, "
        f"and is kept in {folder}"
    )


def _read(folder: Path, data: DataSet, digest: str) -> StoredClassifier:
    """Load a classifier.

    Raises:
        UserError: If the folder is not intact, or its classifier was trained on data with another digest.
    """
    advice = f"To train a new one, whose results cannot be compared with earlier ones: rm -r {folder}"
    try:
        info = json.loads((folder / _INFO).read_text())
    except (OSError, ValueError):
        info = None
    if not isinstance(info, dict) or not all(isinstance(info.get(name), str) for name in _REQUIRED):
        raise UserError(f"{folder / _INFO} is missing or cannot be read. {advice}")
    if info["format"] != FORMAT:
        raise UserError(f"{folder / _INFO} is not in the format {FORMAT}. {advice}")
    if info["data_sha256"] != digest:
        raise UserError(
            f"the classifier in {folder} was trained on other data: their SHA-256 is {info['data_sha256'][:8]}..., "
            f"that of the present data is {digest[:8]}.... {advice}"
        )
    weights = folder / _WEIGHTS
    if not weights.is_file() or sha256(weights) != info["weights_sha256"]:
        raise UserError(f"{weights} is missing, cut short or changed: its SHA-256 differs from {_INFO}. {advice}")
    name = f"{folder.name}, weights {info['weights_sha256'][:8]}"
    return StoredClassifier(_with_weights(load_file(weights), data), name)


def _weights(classifier: FeatureClassifier) -> dict[str, torch.Tensor]:
    """Return the weights of a classifier, and the scale of its features, by their names in a file."""
    theirs = {
        name.replace("encoder.layers.", "body."): weight.contiguous()
        for name, weight in classifier.network.state_dict().items()
    }
    return {"mean": classifier.mean, "unit": classifier.unit, **theirs}


def _with_weights(weights: dict[str, torch.Tensor], data: DataSet) -> FeatureClassifier:
    """Return the classifier of a data set with the weights of a file."""
    network = new_network(data.spec.shape, num_classes(data))
    mean, unit = weights.pop("mean"), weights.pop("unit")
    network.load_state_dict({name.replace("body.", "encoder.layers."): weight for name, weight in weights.items()})
    return FeatureClassifier(network, mean, unit)
