"""Facts about a run's data set that its folder keeps, so that its generator can be built without the data."""

import json
from dataclasses import dataclass
from typing import Any

from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.spec import Spec
from sandbox.runs.feature_classifier_store import data_digest
from sandbox.storage.files import read_object, write_whole
from sandbox.storage.run_folder import RunFolder

_FILE = "data.json"
_MOST_NUMBERS = 4_096  # of an image


@dataclass(frozen=True)
class DataFacts:
    """Facts about a data set.

    Attributes:
        spec: Its shapes.
        binary: True if every byte is 0 or 255.
        classes: Name of each class, or None.
        sha256: Hash of all images and labels.
    """

    spec: Spec
    binary: bool
    classes: tuple[str, ...] | None
    sha256: str

    @classmethod
    def of(cls, data: DataSet) -> "DataFacts":
        """Return the facts about a data set."""
        return cls(data.spec, data.binary, data.classes, data_digest(data))

    def write(self, folder: RunFolder) -> None:
        """Write the facts to the run folder."""
        spec = self.spec
        fields = {
            "shape": spec.shape,
            "is_bytes": spec.is_bytes,
            "num_classes": spec.num_classes,
            "num_numbers": spec.num_numbers,
            "source_shape": spec.source_shape,
            "binary": self.binary,
            "classes": self.classes,
            "sha256": self.sha256,
        }
        write_whole(folder.path / _FILE, json.dumps(fields, indent=1) + "\n")

    @classmethod
    def read(cls, folder: RunFolder) -> "DataFacts | None":
        """Return the facts in a run folder; None if they are missing or damaged, since the data have them, too."""
        fields = read_object(folder.path / _FILE)
        shape, source = _sizes(fields.get("shape")), _sizes(fields.get("source_shape"))
        count, classes, digest = fields.get("num_classes"), fields.get("classes"), fields.get("sha256")
        named = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
        if shape is None or type(count) is not int or count < 0 or not isinstance(digest, str):
            return None
        numbers = fields.get("num_numbers", 0)
        if not (classes is None or (named and len(classes) == count)):
            return None
        if type(numbers) is not int or not 0 <= numbers <= _MOST_NUMBERS:
            return None
        spec = Spec(
            shape,
            is_bytes=fields.get("is_bytes") is True,
            num_classes=count,
            num_numbers=numbers,
            source_shape=source,
        )
        return cls(spec, fields.get("binary") is True, tuple(classes) if classes is not None else None, digest)


def _sizes(value: Any) -> tuple[int, ...] | None:
    """Return a shape of one to three sizes, or None."""
    if not isinstance(value, list) or not 1 <= len(value) <= 3:
        return None
    return tuple(value) if all(type(size) is int and 0 < size <= 4_096 for size in value) else None
