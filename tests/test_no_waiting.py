"""No update reads a number back from the device, which would wait for all that the device still has to do."""

from pathlib import Path
from typing import Any

import pytest
import test_members
import torch
from torch.utils._python_dispatch import TorchDispatchMode

READS = torch.ops.aten._local_scalar_dense.default  # `.item()`, `float(tensor)`, `if tensor:`, `range(tensor)`
NAMES = [(kind, name) for kind, name in test_members.EVERY if name != "sb3"]  # whose updates are another library's


class Watch(TorchDispatchMode):
    """Counts what is read back."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += function is READS
        return function(*args, **(kwargs or {}))


def one_hot(indices: torch.Tensor, num_classes: int) -> torch.Tensor:
    """PyTorch's own reads the largest index back, but not on a GPU."""
    return torch.zeros(*indices.shape, num_classes, dtype=torch.int64).scatter_(-1, indices[..., None], 1)


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_an_update_reads_nothing_back(kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.functional, "one_hot", one_hot)
    _, run = test_members.start(kind, name, tmp_path)
    test_members.go(run, 1)  # the first batch of binary units is looked at once
    watch, update = Watch(), run.learner.update

    def watched(batch: Any) -> Any:
        with watch:
            return update(batch)

    monkeypatch.setattr(run.learner, "update", watched)
    test_members.go(run, 6)
    assert watch.count == 0


def test_what_is_read_back_is_counted() -> None:
    value = torch.ones(())
    with Watch() as watch:
        float(value), value.item(), bool(value), value + 1
    assert watch.count == 3
