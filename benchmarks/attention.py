"""Measure how much of DARQN's attention is on the ball: python benchmarks/attention.py runs/NAME [--video out.mp4]

Plays Pong as `sandbox evaluate` would and says, over all pictures that were not blank, what share of the attention lies
within two cells of the ball (Euclidean, on the convolutions' map), beside what uniform attention would have there.
The video shows what the agent saw, and in red where it looked.
"""

import argparse
from pathlib import Path

import numpy as np

from sandbox.interfaces.state import advance_state
from sandbox.media.video import VideoWriter
from sandbox.runs.build import restore
from sandbox.storage.run_folder import RunFolder

STEPS, NUM_ENVS, RADIUS = 500, 16, 2.0
FIRST, STRIDE = 17.5, 8.0  # pixels: where the Nature convolutions' first cell looks (its middle), and the next one


def near(ball: np.ndarray, sides: tuple[int, int]) -> np.ndarray:
    """[N, 2] places (x, y) in pixels -> [N, h, w], the cells within `RADIUS` of each; balls at the rim have fewer."""
    at = np.clip((ball - FIRST) / STRIDE, 0, np.array(sides[::-1]) - 1)
    rows, columns = np.indices(sides)
    return np.hypot(columns - at[:, 0, None, None], rows - at[:, 1, None, None]) <= RADIUS


def overlay(image: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """[84, 84] and [h, w] -> [336, 336, 3]: the picture, and red where the attention is."""
    centers = np.clip(((np.arange(84) - FIRST) / STRIDE).round().astype(int), 0, attention.shape[0] - 1)
    red = (attention / attention.max())[centers][:, centers]
    shown = np.repeat(image[:, :, None], 3, 2).astype(float)
    shown[:, :, 0] = np.maximum(shown[:, :, 0], 200 * red)
    return np.kron(shown.astype(np.uint8), np.ones((4, 4, 1), np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--video", type=Path)
    args = parser.parse_args()
    built, step = restore(RunFolder.find(args.run.parent, args.run.name))
    agent, env = built.learner, built.config.env.make(NUM_ENVS)
    observations, _ = env.reset(seed=0)
    state, shares, uniform, frames = agent.initial_state(NUM_ENVS), [], [], []
    for _ in range(STEPS):
        seen = observations
        inner = env.state_dict()
        while "env" in inner:  # below the wrappers
            inner = inner["env"]
        actions, state = agent.act(seen, state, explore=False)
        looked = state["attention"].cpu().numpy()
        close = near(np.stack([inner["x"], inner["y"]], 1), looked.shape[1:])
        visible = seen.reshape(NUM_ENVS, -1).any(1)
        shares += (looked * close).sum((1, 2))[visible].tolist()
        uniform += close.mean((1, 2))[visible].tolist()
        frames.append(overlay(seen[0, 0], looked[0]))
        observations, rewards, terminated, truncated, _ = env.step(actions)
        ended = terminated | truncated
        state = advance_state(state, rewards, ended)
        if ended.any():
            observations, _ = env.reset(options={"reset_mask": ended})
    share, chance = np.array(shares), np.array(uniform)
    print(f"{args.run.name}, step {step}: {share.mean():.3f} of the attention within {RADIUS:g} cells of the ball,")
    print(f"uniform {chance.mean():.3f}, ratio {share.mean() / chance.mean():.2f}; {len(share)} pictures")
    if args.video:
        with VideoWriter(args.video, fps=15) as video:
            for frame in frames[:300]:
                video.write(frame)


if __name__ == "__main__":
    main()
