"""`Graph`: a function of tensors with a batch dimension, and how to compare it with the learner that it comes from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sandbox.core.errors import UserError
from sandbox.interfaces.learner import Learner

TOLERANCE = 1e-5  # largest difference from the learner, as a share of the largest value if that is above 1
Tensors = Mapping[str, torch.Tensor]
Runner = Callable[[Tensors], Tensors]  # inputs by name -> outputs by name, on the CPU


class MismatchError(UserError):
    """An exported graph computes something else than its learner."""


@dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    Attributes:
        name: Its name.
        meaning: What it is, in a sentence.
        example: An example of it, with a batch dimension.
    """

    name: str
    meaning: str
    example: torch.Tensor

    def described(self) -> dict[str, object]:
        """Return name, type, shape after the batch dimension, and meaning, for the metadata of a file."""
        dtype = str(self.example.dtype).removeprefix("torch.")
        return {"name": self.name, "dtype": dtype, "shape": list(self.example.shape[1:]), "meaning": self.meaning}


class Comparison(NamedTuple):
    """Values of the learner and of its exported graph that must agree."""

    name: str
    ours: torch.Tensor
    theirs: torch.Tensor


@dataclass(frozen=True)
class Graph:
    """A function of a learner.

    Attributes:
        kind: `policy`, `decoder`, `translator` or `classifier`.
        module: The function as a module; its arguments are `inputs`, and it returns `outputs` as a tuple.
        inputs: Its inputs.
        outputs: Its outputs.
        compare: Runs the graph on many inputs, and yields what must agree with the learner.
        facts: More about it, for the metadata of a file.
    """

    kind: str
    module: nn.Module
    inputs: Sequence[Port]
    outputs: Sequence[Port]
    compare: Callable[[Runner], Iterator[Comparison]]
    facts: Mapping[str, object] = field(default_factory=dict)

    def require_equal(self, run: Runner) -> None:
        """Do nothing if an exported graph computes what the learner does.

        Raises:
            MismatchError: Names an output that differs.
        """
        for name, ours, theirs in self.compare(run):
            largest = ours.double().abs().max().clamp(min=1)
            difference = (ours.double() - theirs.double()).abs().max()
            if not difference <= TOLERANCE * largest:  # also if it is NaN
                raise MismatchError(
                    f"the exported {self.kind} is not the run's: {name} differs by {float(difference):.2g}, where "
                    f"values reach {float(largest):.2g}. Nothing was written. Please report this, with the run's "
                    "config.yaml."
                )


class Function(nn.Module):
    """A function of tensors as a module, with those modules of a learner whose tensors it reads, by their names.

    Attributes:
        examples: Its outputs for the examples of its inputs.
    """

    def __init__(self, function: Callable[..., tuple[torch.Tensor, ...]], learner: Learner, inputs: Sequence[Port]):
        super().__init__()
        self._function = function
        with torch.no_grad(), _Read() as read:
            self.examples = function(*(port.example for port in inputs))
        for part, root in learner.parts().items():
            for name, module in root.named_modules(prefix=part) if isinstance(root, nn.Module) else ():
                own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
                if any(_address(tensor) in read.addresses for tensor in own):
                    self.add_module(name.replace(".", "_"), module)

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Call the function."""
        return self._function(*inputs)


class _Read(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the addresses of all tensors that are read."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.addresses: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for value in tree_leaves((args, kwargs)):
            if isinstance(value, torch.Tensor):
                self.addresses.add(_address(value))
        return func(*args, **(kwargs or {}))


def _address(tensor: torch.Tensor) -> int:
    """Return the address of a tensor's memory, which its views share."""
    return tensor.untyped_storage().data_ptr()
