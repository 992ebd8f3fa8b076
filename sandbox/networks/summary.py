"""Tables of networks: layers, output shapes, parameters, receptive fields and multiply-adds.

The numbers come from a real forward pass. Modules say which layer is at work, and PyTorch's own operations say what it
computes, so that networks of any modules are understood, with functions between them. An operation on the weights of
another layer counts as that layer's: Boltzmann machines multiply by weights of layers that they never call.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, NamedTuple, Self

import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.utils.parametrize import ParametrizationList
from torch.utils._python_dispatch import TorchDispatchMode

from sandbox.networks._operations import (
    MAPS,
    ONE_PIXEL,
    WHOLE,
    ReceptiveField,
    field_after,
    field_of_layer,
    joined,
    multiply_adds,
)

_COPIES = frozenset({"clone", "_to_copy"})  # operations after which weights are still those of their layer


class Row(NamedTuple):
    """One layer of a network.

    Attributes:
        name: Path of the layer in the network.
        kind: Name of its class.
        shape: Shape of its output for one input, without the batch; None if it is not known.
        parameters: Number of its parameters.
        field: Height and width of the receptive field of one output, in pixels; infinity means the whole input. None if
            the layer was not used.
        multiply_adds: Number of multiply-adds for one input.
    """

    name: str
    kind: str
    shape: tuple[int, ...] | None
    parameters: int
    field: tuple[float, float] | None
    multiply_adds: int


class _Record:
    """Findings about a layer, from the first call of a whole network that reached it."""

    def __init__(self, call: int) -> None:
        self.call, self.products = call, 0.0
        self.shape: tuple[int, ...] | None = None
        self.field: ReceptiveField | None = None


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows forward passes through networks while its context is entered.

    Gradients may be computed meanwhile; they are not counted.

    Args:
        networks: Networks by name.
    """

    def __init__(self, networks: Mapping[str, nn.Module]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._networks = networks
        self._active: list[nn.Module] = []  # from the network that was called to the layer at work
        self._calls, self._batch = 0, 1
        self._records: dict[nn.Module, _Record] = {}
        self._owners: dict[int, tuple[StorageWeakRef, nn.Module]] = {}  # layers by the storage of their weights
        for network in networks.values():
            for _, module in _modules(network):
                for weight in module.parameters(recurse=_is_layer(module)):
                    self._set_owner(weight, module)
        self._unknown: list[nn.Module] = []  # layers whose weights were used since the last end of a call
        self._fields: dict[int, tuple[StorageWeakRef, ReceptiveField]] = {}  # by storage, which views share
        self._hooks = ExitStack()

    def __enter__(self) -> Self:
        """Begin to follow."""
        modules = {module for network in self._networks.values() for _, module in _modules(network)}
        for module in modules:
            for handle in (
                module.register_forward_pre_hook(self._begin, with_kwargs=True),
                module.register_forward_hook(self._end, always_call=True),
            ):
                self._hooks.callback(handle.remove)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove all hooks."""
        super().__exit__(kind, error, traceback)  # type: ignore[no-untyped-call]
        self._hooks.close()
        self._active.clear()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count the products of one operation, and find the receptive field of its result."""
        result = function(*args, **(kwargs or {}))
        name, output = function.overloadpacket.__name__, next(_tensors(result), None)
        if output is not None:
            inputs = [self._field(tensor) for tensor in _tensors(args[:1] if name == "convolution" else args)]
            before, products = joined(inputs), multiply_adds(name, args, output)
            field = field_after(name, args, output, before)
            owner = next((owner for tensor in _tensors(args) if (owner := self._owner(tensor)) is not None), None)
            if owner is not None and name in _COPIES:
                self._set_owner(output, owner)
            elif owner is not None and products and owner not in self._active:
                field = self._use(owner, before, field, output)
                self._count(owner, products)
            elif self._active and not isinstance(self._active[-1], nn.RNNBase):
                self._count(self._active[-1], products)
            self._set_field(output, field)
        return result

    def rows(self) -> dict[str, list[Row]]:
        """Return the layers of each network, in the order of their definition."""
        return {name: [*self._rows(network)] for name, network in self._networks.items()}

    def _rows(self, network: nn.Module) -> Iterator[Row]:
        for path, module in _modules(network):
            layer = _is_layer(module)
            parameters = sum(weight.numel() for weight in module.parameters(recurse=layer))
            record = self._records.get(module)
            if parameters or (record and (layer or record.products)):
                name = path or type(module).__name__
                kind = type(module).__name__.removeprefix("Parametrized")
                if record is None:
                    yield Row(name, kind, None, parameters, None, 0)
                else:
                    field = None if record.field is None else record.field.size
                    yield Row(name, kind, record.shape, parameters, field, round(record.products))

    def _owner(self, tensor: torch.Tensor) -> nn.Module | None:
        found = self._owners.get(tensor.untyped_storage()._cdata)
        return None if found is None else found[1]

    def _set_owner(self, weight: torch.Tensor, layer: nn.Module) -> None:
        storage = weight.untyped_storage()
        self._owners[storage._cdata] = (_reference(storage), layer)

    def _use(
        self, layer: nn.Module, before: ReceptiveField, field: ReceptiveField, output: torch.Tensor
    ) -> ReceptiveField:
        """Note that a layer's weights are used without calling it, and return the field of the result."""
        if not self._active:
            self._calls, self._batch = self._calls + 1, len(output)
        record = self._records.setdefault(layer, _Record(self._calls))
        if record.call == self._calls:
            record.field = field = field_of_layer(layer, before) or field
            if isinstance(layer, nn.Linear) or (isinstance(layer, nn.Conv2d) and output.dim() == MAPS):
                record.shape = tuple(output.shape[1:])
            else:
                self._unknown.append(layer)
        return field

    def _begin(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        if not self._active:
            self._calls += 1
            first = next((tensor for tensor in _tensors([args, kwargs]) if tensor.dim()), None)
            self._batch = 1 if first is None else max(1, len(first))
        self._active.append(module)
        self._records.setdefault(module, _Record(self._calls))

    def _end(self, module: nn.Module, args: Any, result: Any) -> None:
        if not self._active:  # entered in the middle of a call
            return
        self._active.pop()
        record, output = self._records[module], next(_tensors(result), None)
        if output is None or record.call != self._calls:
            return
        if isinstance(module, nn.RNNBase):
            matrices = sum(weight.numel() for weight in module.parameters() if weight.dim() == 2)
            self._count(module, matrices * output.shape[:-1].numel())
            self._set_field(output, WHOLE)
        if isinstance(module, nn.Linear) and output.dim() > 2:  # of each place by itself
            self._set_field(output, joined([self._field(tensor) for tensor in _tensors(args)]))
        record.shape, record.field = tuple(output.shape[1:]), self._field(output)
        for layer in self._unknown:  # a convolution that was computed otherwise, at the end of this module
            if isinstance(layer, nn.ConvTranspose2d) and record.shape[:1] == (layer.out_channels,):
                self._records[layer].shape = record.shape
        self._unknown.clear()

    def _count(self, module: nn.Module, products: float) -> None:
        record = self._records[module]
        if record.call == self._calls:
            record.products += products / self._batch

    def _field(self, tensor: torch.Tensor) -> ReceptiveField:
        found = self._fields.get(tensor.untyped_storage()._cdata)
        return ONE_PIXEL if found is None else found[1]

    def _set_field(self, tensor: torch.Tensor, field: ReceptiveField) -> None:
        storage = tensor.untyped_storage()
        self._fields[storage._cdata] = (_reference(storage), field)


def _reference(storage: torch.UntypedStorage) -> StorageWeakRef:
    """Return a weak reference, which keeps the address of a storage from being used again."""
    return StorageWeakRef(storage)  # type: ignore[no-untyped-call]


def summarize(network: nn.Module, *inputs: Any) -> list[Row]:
    """Return the layers of a network, which is called once with a batch of `inputs`, without gradients."""
    with torch.no_grad(), Trace({"network": network}) as trace:
        network(*inputs)
    return trace.rows()["network"]


def num_parameters(networks: Mapping[str, nn.Module]) -> int:
    """Return the number of parameters of networks, of which some may share parts."""
    shared = {weight: weight.numel() for network in networks.values() for weight in network.parameters()}
    return sum(shared.values())


def _modules(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield a network's modules by path, without the parts of single layers."""
    for path, module in network.named_modules():
        owner: Callable[[str], nn.Module] = network.get_submodule
        above = [path[:end] for end in range(len(path)) if path[end] == "."] + ([""] if path else [])
        if not any(_is_layer(owner(place)) for place in above):
            yield path, module


def _is_layer(module: nn.Module) -> bool:
    """Return whether a module is a single layer: one without parts, except those that compute its weights."""
    own = [child for name, child in module.named_children() if name != "parametrizations"]
    is_container = isinstance(module, (nn.Sequential, nn.ModuleList, nn.ModuleDict))
    return not (own or is_container) or isinstance(module, (nn.MultiheadAttention, ParametrizationList))


def _tensors(tree: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors in nested arguments or results."""
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for part in tree:
            yield from _tensors(part)
    elif isinstance(tree, dict):
        yield from _tensors(list(tree.values()))


def size_words(field: tuple[float, float] | None) -> str:
    """Return a receptive field in words: `36`, `3x5`, or `all`."""
    if field is None:
        return "-"
    if math.inf in field:
        return "all"
    height, width = map(math.ceil, field)
    return f"{height}" if height == width else f"{height}x{width}"
