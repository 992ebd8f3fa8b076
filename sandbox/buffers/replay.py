"""A replay that stores each observation once; stacks and sequences are built when they are drawn.

Each environment has a ring of rows. A row is an observation with the action, reward and continuation that followed it;
an episode's last observation has a row of its own. A *place* numbers the observations of a ring from 0 since the run
began; its row is `env * length + place % length`. An *age* is the number of an observation in its episode, from 0; by
ages, neither a stack nor a sequence ever crosses the start of an episode or the write cursor. One million Atari
transitions take 7.1 GB, or 0.3 to 2 GB packed.
"""

from typing import Any, NamedTuple

import numpy as np
import torch

from sandbox.buffers.packed import Packed, load_unpacked
from sandbox.core.compute import memory, send
from sandbox.core.errors import UserError
from sandbox.core.stateful import ReplayPart
from sandbox.interfaces.spec import Spec

_COLUMNS = {"action": np.int64, "reward": np.float32, "discount": np.float32, "age": np.int32, "is_last": np.bool_}


class Transitions(NamedTuple):
    """A batch of transitions over up to n steps, in Sutton & Barto's names.

    Attributes:
        s_tm1: Stacks [B, stack * C, ...] before the actions.
        a_tm1: Actions [B].
        r_t: Rewards [B, n].
        discount_t: Continuations [B, n]: 0 where the episode terminated and 1 elsewhere, so that truncation bootstraps.
        num_steps: Number [B] of the n steps that count: they stop at the episode's end and at the newest observation.
        s_t: Stacks [B, stack * C, ...] after the last step that counts.
    """

    s_tm1: torch.Tensor
    a_tm1: torch.Tensor
    r_t: torch.Tensor
    discount_t: torch.Tensor
    num_steps: torch.Tensor
    s_t: torch.Tensor


class Replay(ReplayPart):
    """The newest `capacity` observations, in `num_envs` rings of the same length, on `device`."""

    def __init__(
        self,
        capacity: int,
        num_envs: int,
        spec: Spec,
        stack: int,
        generator: np.random.Generator,
        device: torch.device,
        *,
        packed: bool = False,
    ) -> None:
        """Reserve the rings; `packed` ones are in the host's memory, whatever the device."""
        self._length, self._num_envs, self._stack, self._generator = capacity // num_envs, num_envs, stack, generator
        if self._length <= stack + 1:
            raise UserError(
                f"a replay of {capacity} leaves each of {num_envs} environments {self._length} observations, too few "
                f"for a stack of {stack}. Set agent.stream.replay.capacity to at least {num_envs * (stack + 2)}."
            )
        rows = num_envs * self._length
        self._device = device
        self._observations = Packed(rows, spec, device) if packed else InArray(rows, spec, device)
        self._columns: dict[str, np.ndarray] = {name: np.zeros(rows, dtype) for name, dtype in _COLUMNS.items()}
        self._written = np.zeros(num_envs, np.int64)  # rows written to each ring since the start
        self._next_age = np.zeros(num_envs, np.int32)

    @property
    def is_empty(self) -> bool:
        """True before the first observation."""
        return not self._written.any()

    def add(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        rewards: np.ndarray,
        terminated: np.ndarray,
        envs: np.ndarray | None = None,
    ) -> None:
        """Store one step of environments `envs` [N], or of all, with the observations [N, ...] before it."""
        envs = np.arange(self._num_envs) if envs is None else envs
        rows = self._claim(envs, observations)
        self._columns["action"][rows], self._columns["reward"][rows] = actions, rewards
        self._columns["discount"][rows], self._columns["is_last"][rows] = ~terminated, False
        self._next_age[envs] += 1

    def add_last(self, observations: np.ndarray, ended: np.ndarray, envs: np.ndarray | None = None) -> None:
        """Store the true last observations [N, ...] of those of `envs`, or of all, whose episode `ended` [N]."""
        if ended.any():
            over = np.flatnonzero(ended) if envs is None else envs[ended]
            rows = self._claim(over, observations[ended])
            self._columns["is_last"][rows] = True
            self._next_age[over] = 0

    def _claim(self, envs: np.ndarray, observations: np.ndarray) -> np.ndarray:
        rows = envs * self._length + self._written[envs] % self._length
        self._observations.write(rows, observations)
        self._columns["age"][rows] = self._next_age[envs]
        self._written[envs] += 1
        return rows

    def at(self, env: np.ndarray, place: np.ndarray, n_step: int) -> Transitions:
        """Return the transitions that start at these places [B]."""
        stack, age = self._stack, self.age(env, place)[:, None]
        # One gather brings stack + n observations: [:stack] is the stack before the action and, if all n steps count,
        # [n:] the one after them. Those from before the episode are other observations, which `_blank` zeroes.
        places = np.minimum(place[:, None] + np.arange(1 - stack, n_step + 1), self._written[env][:, None] - 1)
        images = self.gather(env, places)
        # Ages count up within an episode, so the count breaks at its end, and at the newest observation.
        follows = self.age(env[:, None], places[:, stack:]) == age + np.arange(1, n_step + 1)
        num_steps, back = follows.sum(1), np.arange(stack - 1, -1, -1)
        after = images[:, n_step:] if follows.all() else self.gather(env, (place + num_steps)[:, None] - back)
        before = self._blank(images[:, :stack], back <= age)
        after = self._blank(after, back <= age + num_steps[:, None])
        a_tm1, r_t, discount_t = self.followed(env[:, None], places[:, stack - 1 : -1])
        return Transitions(before, a_tm1[:, 0], r_t, discount_t, self.send(num_steps), after)

    def draw(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw `count` transitions uniformly; return their environments and their places since the start."""
        oldest, newest = self.span()
        ends = np.cumsum(np.maximum(newest - oldest, 0))  # nothing follows the newest yet
        env, place = np.empty(count, np.int64), np.empty(count, np.int64)
        todo = np.arange(count)
        while len(todo):
            pick = self._generator.integers(ends[-1], size=len(todo))
            env[todo] = np.searchsorted(ends, pick, side="right")
            place[todo] = newest[env[todo]] - (ends[env[todo]] - pick)
            todo = todo[~self.drawable(env[todo], place[todo])]
        return env, place

    def drawable(self, env: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Return which of these transitions can be drawn: not last rows, not the newest, and the stack is complete."""
        (oldest, newest), rows = self.span(), self.row(env, place)
        reach = np.minimum(self._columns["age"][rows], self._stack - 1)
        return ~self._columns["is_last"][rows] & (place < newest[env]) & (place - reach >= oldest[env])

    def span(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the oldest place that each ring still holds, and the newest, [N] each."""
        return np.maximum(self._written - self._length, 0), self._written - 1

    def age(self, env: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Return the numbers of these observations in their episodes, from 0."""
        return self._columns["age"][self.row(env, place)]

    def row(self, env: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Return the rows of these places."""
        return env * self._length + place % self._length

    def gather(self, env: np.ndarray, places: np.ndarray) -> torch.Tensor:
        """Return the observations [B, K, ...] at places [B, K] of environments [B]."""
        found = self._observations.read(self.row(env[:, None], places).ravel())
        return found.view(*places.shape, *found.shape[1:])

    def _blank(self, images: torch.Tensor, seen: np.ndarray) -> torch.Tensor:
        """Zero the images [B, K, C, ...] not `seen` [B, K] in this episode, and join them to [B, K * C, ...]."""
        if not seen.all():
            images = images * self.send(seen).view(*seen.shape, *[1] * (images.dim() - 2)).to(images.dtype)
        return images.flatten(1, 2)

    def followed(self, env: np.ndarray, place: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return actions, rewards and continuations at these places."""
        rows = self.row(env, place)
        a_t, r_t, discount_t = (self.send(self._columns[name][rows]) for name in ("action", "reward", "discount"))
        return a_t, r_t, discount_t

    def send(self, array: np.ndarray) -> torch.Tensor:
        """Return the array as a tensor on the replay's device."""
        return send(array, self._device)

    def state_dict(self) -> dict[str, Any]:
        """Return the rows that have been written, and the positions."""
        used = int(np.minimum(self._written, self._length).max(initial=0))
        rings = {name: column[:, :used] for name, column in self._rings().items()}
        observations = self._observations.state(self._rows(used))
        return rings | observations | {"written": self._written, "next_age": self._next_age}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        used = state["age"].shape[1]
        for name, column in self._rings().items():
            column[:, :used] = state[name]
        self._observations.load_state(self._rows(used), state)
        self._written[:], self._next_age[:] = state["written"], state["next_age"]

    def _rows(self, used: int) -> np.ndarray:
        """Return the first `used` rows of each ring, [N, used]."""
        return np.arange(self._num_envs)[:, None] * self._length + np.arange(used)

    def _rings(self) -> dict[str, np.ndarray]:
        """Return the columns as views [N, length], by name."""
        return {name: column.reshape(self._num_envs, -1) for name, column in self._columns.items()}


class InArray:
    """Observations by row in one array on a device; the methods are those of `Packed`."""

    def __init__(self, rows: int, spec: Spec, device: torch.device) -> None:
        _check_size(rows, spec, device)
        # NumPy's zeros cost no memory until they are written.
        self._array = torch.from_numpy(np.zeros((rows, *spec.shape), np.uint8 if spec.is_bytes else np.float32))
        self._array = self._array.to(device)

    def write(self, rows: np.ndarray, observations: np.ndarray) -> None:
        device = self._array.device
        self._array[send(rows, device)] = send(observations, device)

    def read(self, rows: np.ndarray) -> torch.Tensor:
        return self._array.index_select(0, send(rows, self._array.device))

    def state(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {"observations": self._rings(rows).cpu().numpy()}

    def load_state(self, rows: np.ndarray, state: dict[str, Any]) -> None:
        if "packed" in state:
            load_unpacked(self._array, rows, state)
        else:
            self._rings(rows)[:] = torch.from_numpy(state["observations"])

    def _rings(self, rows: np.ndarray) -> torch.Tensor:
        """Return a view of rows [N, T], which are the first ones of N rings."""
        return torch.unflatten(self._array, 0, (rows.shape[0], -1))[:, : rows.shape[1]]


def _check_size(rows: int, spec: Spec, device: torch.device) -> None:
    size = int(np.prod(spec.shape)) * (1 if spec.is_bytes else 4) + 21  # bytes of a row, 21 of them in the columns
    if (room := memory(device)) is not None and rows * size > room:
        shape, unit = "x".join(map(str, spec.shape)), "bytes" if spec.is_bytes else "floats"
        raise UserError(
            f"a replay of {rows:,} observations of {shape} {unit} needs {rows * size / 1e9:,.1f} GB, "
            f"{'this machine has' if device.type == 'cpu' else 'free on the GPU are'} {room / 1e9:,.1f} GB. "
            f"Set agent.stream.replay.capacity to at most {int(0.9 * room / size):_}."
        )
