"""Save and restore every Atari game under both protocols, at eight random steps each, and compare what follows.

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

STEPS, MOMENTS, FUTURE = 200, 8, 30  # of play, of them saved, and compared after each restore


def play(env: Any, actions: np.ndarray) -> list[np.ndarray]:
    """One step, and a reset where it ends an episode."""
    *results, _ = env.step(actions)
    ended = results[2] | results[3]
    return [*results, *([env.reset(options={"reset_mask": ended})[0]] if ended.any() else [])]


def wrong_futures(config: AtariConfig) -> int:
    """After how many of the restores anything differs."""
    env, other = config.make(1), config.make(1)
    env.action_space.seed(1)
    env.reset(seed=1), other.reset(seed=5)
    moments = set(np.random.default_rng(0).choice(STEPS, MOMENTS, replace=False).tolist())
    tape, saved, wrong = [], {}, 0
    for step in range(STEPS + FUTURE):
        if step in moments:
            saved[step] = env.state_dict()
        tape.append((actions := env.action_space.sample(), play(env, actions)))
    for step, state in saved.items():
        other.load_state_dict(state)
        future = [(results, play(other, actions)) for actions, results in tape[step : step + FUTURE]]
        wrong += not all(np.array_equal(a, b) for ours, theirs in future for a, b in zip(ours, theirs, strict=True))
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("games", nargs="*", default=sorted(roms.get_all_rom_ids()))
    games, total = parser.parse_args().games, 0
    for game in games:
        for protocol in PROTOCOLS:
            try:
                config = AtariConfig.model_validate({"game": game, "protocol": protocol, "workers": 1})
            except ValidationError as error:
                print(f"{game}: {error.errors()[0]['msg']}")
                break
            wrong = wrong_futures(config)
            total += wrong
            if wrong:
                print(f"{game}, {protocol}: {wrong} of {MOMENTS} futures differ", flush=True)
    print(f"{len(games)} games: {total} futures differ")
    sys.exit(total > 0)


if __name__ == "__main__":
    main()
