"""Save and restore every Atari game under both protocols, at eight random steps each, and compare the next frames.

python benchmarks/restore_every_game.py            # all games, some minutes
python benchmarks/restore_every_game.py pong tetris
"""

import argparse
import sys
from typing import Any

import numpy as np
from ale_py import roms
from pydantic import ValidationError

from sandbox.envs.atari import PROTOCOLS, AtariConfig

STEPS = 200
NUM_SAVED = 8  # of these steps
NUM_COMPARED = 30  # steps after each restore


def play(env: Any, actions: np.ndarray) -> list[np.ndarray]:
    """Step, and reset if an episode has ended; return all arrays."""
    *results, _ = env.step(actions)
    ended = results[2] | results[3]
    if ended.any():
        results.append(env.reset(options={"reset_mask": ended})[0])
    return results


def count_differences(config: AtariConfig) -> int:
    """Return the number of restores after which anything differs from the original play."""
    env = config.make(1)
    other = config.make(1)
    env.action_space.seed(1)
    env.reset(seed=1)
    other.reset(seed=5)
    saved_steps = set(np.random.default_rng(0).choice(STEPS, NUM_SAVED, replace=False).tolist())
    states = {}
    recorded = []
    for step in range(STEPS + NUM_COMPARED):
        if step in saved_steps:
            states[step] = env.state_dict()
        actions = env.action_space.sample()
        recorded.append((actions, play(env, actions)))
    differences = 0
    for step, state in states.items():
        other.load_state_dict(state)
        if not all(same(play(other, actions), results) for actions, results in recorded[step : step + NUM_COMPARED]):
            differences += 1
    return differences


def same(ours: list[np.ndarray], theirs: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("games", nargs="*", default=sorted(roms.get_all_rom_ids()))
    games = parser.parse_args().games
    total = 0
    for game in games:
        for protocol in PROTOCOLS:
            try:
                config = AtariConfig.model_validate({"game": game, "protocol": protocol, "workers": 1})
            except ValidationError as error:
                print(f"{game}: {error.errors()[0]['msg']}")
                break
            differences = count_differences(config)
            total += differences
            if differences:
                print(f"{game}, {protocol}: {differences} of {NUM_SAVED} restored games differ", flush=True)
    print(f"{len(games)} games: {total} restored games differ")
    sys.exit(total > 0)


if __name__ == "__main__":
    main()
