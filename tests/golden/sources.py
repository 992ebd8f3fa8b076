"""Records environments, wrappers and data sets."""

import copy
import gzip
import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
from digests import Digest, digest, leaves
from houses import House

_COPIES, _SEED, _BLOCK, _BATCHES = 4, 7, 50, 3


def record_world(house: House, config_file: Path, steps: int) -> dict[str, Digest]:
    """Play random actions; halfway, save the state, and check at the end that from there it goes on alike."""
    chosen = house.need("config.env", house.door("resolve")([str(config_file)], []))
    env = chosen.make(_COPIES)
    actions = _actions(env.single_action_space, steps)
    result: dict[str, Digest] = {}
    observations, infos = env.reset(seed=_SEED)
    result["world/first/observations"] = digest(observations)
    result |= {f"world/first/infos{path}": digest(value) for path, value in leaves(infos)}
    half = _play(house, env, actions[: steps // 2], 0)
    state = copy.deepcopy(env.state_dict())
    result |= half | {f"state/env{path}": digest(value) for path, value in leaves(state)}
    rest = _play(house, env, actions[steps // 2 :], steps // 2)
    other = chosen.make(_COPIES)
    other.reset(seed=_SEED + 1)
    other.load_state_dict(state)
    again = _play(house, other, actions[steps // 2 :], steps // 2)
    for world in (env, other):
        getattr(world, "close", lambda: None)()
    return result | rest | {"world/restored goes on alike": digest(again == rest)}


def _actions(space: Any, steps: int) -> np.ndarray:
    generator = np.random.default_rng(_SEED)
    choices = np.asarray(getattr(space, "nvec", getattr(space, "n", None)))
    return generator.integers(choices, size=(steps, _COPIES, *choices.shape))


def _play(house: House, env: Any, actions: np.ndarray, begun: int) -> dict[str, Digest]:
    """Step through `actions`, with resets where an episode ends; digests of blocks of steps."""
    result: dict[str, Digest] = {}
    for start in range(0, len(actions), _BLOCK):
        columns: dict[str, list[Any]] = {}
        for row in actions[start : start + _BLOCK]:
            observations, rewards, terminated, truncated, infos = env.step(row)
            seen = {"observations": observations, "rewards": rewards, "terminated": terminated, "truncated": truncated}
            for name, value in [*seen.items(), *((f"infos{path}", value) for path, value in leaves(infos))]:
                columns.setdefault(name, []).append(np.array(value))
            if (ended := terminated | truncated).any():
                fresh, _ = env.reset(options={"reset_mask": ended})
                columns.setdefault("reset observations", []).append(np.array(fresh))
        step = f"world/steps from {begun + start:03d}"
        result |= {f"{step}/{name}": _digest_all(values) for name, values in columns.items()}
        result[f"{step}/picture"] = digest(_picture(house, env, (begun + start) // _BLOCK % _COPIES))
    return result


def _picture(house: House, env: Any, index: int) -> np.ndarray:
    """The picture for people of one copy; Gymnasium's own `render` takes no index and is passed over."""
    for draw in house.candidates("environment.draw", env):
        if inspect.signature(draw).parameters:
            return np.asarray(draw(index))
    raise LookupError(f"a {type(env).__name__} has no picture of one copy; edit ATTRIBUTES in houses.py")


def _digest_all(values: list[Any]) -> Digest:
    if len({(value.dtype, value.shape) for value in values}) == 1:
        return digest(np.stack(values))
    return digest(" ".join(digest(value)[0] for value in values))


def write_demos(house: House, config_file: Path, out: Path) -> None:
    """Write 40 random steps in one copy of a run's environment as a file of demonstrations."""
    chosen = house.need("config.env", house.door("resolve")([str(config_file)], []))
    env, options = chosen.make(1), chosen.model_dump(mode="json")
    columns: dict[str, list[Any]] = {name: [] for name in ("observations", "actions", "rewards", "terminated", "ended")}
    finals = []
    observations, _ = env.reset(seed=_SEED)
    actions = _actions(env.single_action_space, 40)[:, :1]
    for number, row in enumerate(actions):
        last, rewards, terminated, truncated, _ = env.step(row)
        ended = terminated | truncated | (number == len(actions) - 1)
        step = (observations[0], row[0], rewards[0], terminated[0], ended[0])
        for column, value in zip(columns.values(), step, strict=True):
            column.append(np.array(value))
        observations = last
        if ended[0]:
            finals.append(np.array(last[0]))
            observations, _ = env.reset(options={"reset_mask": ended})
    name = options["name"].title().replace("_", "")
    header = json.dumps({"format": "sandbox-demos-1", "env": options, "id": f"Sandbox/{name}-v0"})
    arrays = {name: np.stack(values) for name, values in columns.items()}
    content: dict[str, Any] = {"header": np.array(header), "finals": np.stack(finals), **arrays}
    np.savez(out, allow_pickle=False, **content)


def record_data(house: House, config_file: Path, runs: Path) -> dict[str, Digest]:
    """Digest every field of the data set and the first batches of a stream of it."""
    built = house.door("begin")(house.door("resolve")([str(config_file)], []), runs)
    result = {f"data/set{path}": digest(value) for path, value in leaves(house.need("built.source", built))}
    stream = house.need("run.stream", house.need("built.run", built)())
    for number in range(_BATCHES):
        result |= {f"data/batch {number}{path}": digest(value) for path, value in leaves(next(stream))}
    return result


def write_files(folder: Path) -> None:
    """Write what data sets of files read: `pictures/` with PNGs in two classes, `idx/` with four files of IDX."""
    from PIL import Image

    generator = np.random.default_rng(_SEED)
    for number in range(40):
        place = folder / "pictures" / f"class{number % 2}" / f"{number:02d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (12, 10 + number % 5, 3), dtype=np.uint8)).save(place)
    (folder / "idx").mkdir()
    for split, count in (("train", 60), ("t10k", 20)):
        images = generator.integers(0, 256, (count, 6, 6), dtype=np.uint8)
        labels = (np.arange(count) % 3).astype(np.uint8)
        for name, array in ((f"{split}-images-idx3-ubyte", images), (f"{split}-labels-idx1-ubyte.gz", labels)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            content = head + array.tobytes()
            (folder / "idx" / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
