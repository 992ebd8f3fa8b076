"""Compares the memory that a run needs with the memory that there is, and names the options that ask for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel
from torch import nn

from sandbox.config.schema import numbers
from sandbox.core.allocations import TRAINED, Allocations, gigabytes, is_allocation_error
from sandbox.core.compute import Compute, memory
from sandbox.core.errors import UserError
from sandbox.interfaces.learner import Learner, learner_parts
from sandbox.interfaces.spec import Spec
from sandbox.runs.config import RunConfig

_STEP = 300_000_000  # bytes of one step of all environments, at most
_DURATION = 10**12  # bound of options that count steps, which take no memory


@contextmanager
def within_memory(config: RunConfig, compute: Compute, copies: int = 1) -> Iterator[None]:
    """Refuse tensors and arrays that there is no room for inside the block.

    Args:
        config: Config of the run, for the message.
        compute: The device.
        copies: Number of tensors of its size that each tensor stands for, itself included.

    Raises:
        UserError: If there is not enough memory, or a size is beyond what tensors and arrays can have.
    """
    try:
        with Allocations(memory(compute.device), copies):
            yield
    except Exception as error:
        if not is_allocation_error(error):
            raise
        raise UserError(f"not enough memory: {' '.join(str(error).split())}. {advice(config)}") from error


def require_room(config: RunConfig, compute: Compute, spec: Spec, learner: Learner) -> None:
    """Compare what training needs, all together, with the memory of the device.

    Args:
        config: Config of the run.
        compute: The device.
        spec: Shapes of the observations or images.
        learner: The learner, whose networks count.

    Raises:
        UserError: If it is more than there is.
    """
    modules = [part for part in learner_parts(learner).values() if isinstance(part, nn.Module)]
    weights = {id(weight): weight.nbytes for module in modules for weight in module.parameters()}
    where, stream = f"{config.sections[1]}.stream", config.learner.stream.memory(spec, learner)
    needed = {
        "the networks": TRAINED * sum(weights.values()),
        **{f"{where}.{option}": size for option, size in stream.items()},
    }
    for name, size in needed.items():
        if name.endswith(".num_envs") and size > _STEP:
            raise UserError(
                f"not enough memory: one step of so many environments, with observations of {list(spec.shape)}, takes "
                f"{gigabytes(size)}, more than {gigabytes(_STEP)}. Lower {name}."
            )
    room, total = memory(compute.device), sum(needed.values())
    if room is None or total <= room:
        return
    largest = sorted(needed, key=lambda name: needed[name], reverse=True)[:2]
    parts = " and ".join(f"{name} {gigabytes(needed[name])}" for name in largest if needed[name] > total / 10)
    where = "this machine has" if compute.device.type == "cpu" else "free on the GPU are"
    raise UserError(
        f"not enough memory: this run needs about {gigabytes(total)} ({parts}), {where} {gigabytes(room)}. "
        f"{advice(config)}"
    )


def advice(config: RunConfig) -> str:
    """Return which options to lower: those that exceed their defaults by the largest factors."""
    raised = sorted(_raised(config, ""), reverse=True)[:2]
    names = " or ".join(f"{path}={_text(value)}" for factor, path, value in raised if factor * 4 > raised[0][0])
    return f"Lower {names}." if names else "Take a smaller model or batch, or another machine."


def _raised(section: BaseModel, path: str) -> Iterator[tuple[float, str, Any]]:
    """Yield the sizes in a section that exceed their defaults: the factor, the path and the value."""
    fields = type(section).model_fields
    for name, value in section:
        field, here = fields[name], f"{path}.{name}".lstrip(".")
        if isinstance(value, BaseModel):
            yield from _raised(value, here)
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for index, item in enumerate(value):
                yield from _raised(item, f"{here}.{index}")
        elif name != "seed" and (largest := _largest(value)):
            bounds = [number for number in numbers(field.annotation, field.metadata) if number.kind is int]
            if any((number.high or 0) < _DURATION for number in bounds):
                usual = _largest(field.get_default(call_default_factory=False)) or 1
                if largest > usual:
                    yield largest / usual, here, value


def _largest(value: Any) -> int:
    """Return a whole number, or the largest of a list of them; 0 for anything else."""
    values = value if isinstance(value, tuple | list) else [value]
    return max((each for each in values if isinstance(each, int) and not isinstance(each, bool)), default=0)


def _text(value: Any) -> str:
    return f"{value:_}" if isinstance(value, int) else str(list(value)).replace(" ", "")
