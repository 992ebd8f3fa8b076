"""Runs and files that a page takes for granted: they are made when a command names them."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from docs.pages import ROOT
from PIL import Image

from sandbox.runs import registry

PLACEHOLDERS = {"CONFIG": "catch_dqn", "COMMAND": "train", "FOLDER": "scans", "ENV": "catch", "seed=N": "seed=1"}
WORDS = {  # placeholders of one command
    "show": {"NAME": "dqn"},
    "check": {"FILE": "random"},
    "watch": {"FILE": "video.gif"},
    "sample": {"FILE": "samples.png"},
}

# Words of `sandbox train` for a run that a command names, by the first pattern that occurs in the command.
RUNS = (
    (r"data\.root=|--from", ["data={name: images, root: scans, color: gray}", "generator.name=vae", "steps=8"]),
    (r"env\.length", ["memory_chain_dqn"]),
    (r"^watch .*--vs|^play pong", ["pong_dqn"]),
    (r"^recall", ["digits_hopfield"]),
    (r"^classify", ["digits_dbn"]),
    (r"^translate .*--back", ["colors_cyclegan"]),
    (r"^translate", ["digits_context_encoder"]),
    (r"--per-class|--class", ["digits_cgan"]),
    (r"^(sample|reconstruct|traverse)|--images", ["digits_vae"]),
    (r"", ["catch_dqn"]),
)
NAMES = ("latest", "RUN", "NAME", "A", "B", "C", "faster")
SEEDS = {"B": 1, "C": 2}  # of runs that are compared with A

WALK = '''"""An environment of a reader: walk right."""

import gymnasium
import numpy as np
from gymnasium import spaces


class Walk(gymnasium.Env):
    observation_space, action_space = spaces.Box(0, 1, (2,)), spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.cell += 1 if action else -1
        return np.zeros(2, np.float32), float(action), abs(self.cell) == 5, False, {}


gymnasium.register("Mine/Walk-v0", Walk)
'''


def filled(words: Sequence[str]) -> tuple[str, ...]:
    """Return words of a command with something that exists in place of each placeholder."""
    own = {**PLACEHOLDERS, **WORDS.get(words[1] if len(words) > 1 else "", {})}
    result = []
    for word in words:
        for name, value in own.items():
            word = re.sub(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", value, word)
        result.append(re.sub(r"_sN$", "_s1", word.rstrip("…")))
    return tuple(result)


def words_for(run: str, command: Sequence[str]) -> tuple[str, ...] | None:
    """Return the words that train a run which a command names: by its name, such as `catch_dqn_s0`, or its use.

    None for a name that no page may take for granted.
    """
    named = re.fullmatch(r"(\w+)_s(\d+)", run)
    if named and named[1] in registry.configs():
        return named[1], f"seed={named[2]}"
    if run not in NAMES:
        return None
    text = " ".join(command)
    config = next(config for pattern, config in RUNS if re.search(pattern, text))
    return *config, f"seed={SEEDS.get(run, 0)}"


def images(folder: Path) -> None:
    """Write 40 gray images."""
    folder.mkdir()
    noise = np.random.default_rng(5).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    for number, image in enumerate(noise):
        Image.fromarray(image).save(folder / f"{number:02d}.png")


FILES: dict[str, Callable[[Path], object]] = {
    "scans": images,
    "new_scans": images,
    "examples": lambda path: path.symlink_to(ROOT / "examples"),
    "mine.yaml": lambda path: path.write_text("agent: {discount: 0.9}\n"),
    "my_envs": lambda path: path.with_suffix(".py").write_text(WALK),
}


def make_files(text: str) -> None:
    """Make the files that a text names, in the working folder."""
    for name, make in FILES.items():
        if re.search(rf"\b{name}\b", text) and not list(Path().glob(f"{name}*")):
            make(Path(name))


def make_members(code: str) -> None:
    """Write the members that Python names, such as "my_env.py", as `sandbox new env my_env` does."""
    for kind in re.findall(r'"my_(agent|env|generator)\.py"', code):
        text = (ROOT / f"sandbox/cli/templates/{kind}.py").read_text()
        Path(f"my_{kind}.py").write_text(text)
