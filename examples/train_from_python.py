"""Train two algorithms with three seeds each, print their mean returns, and write a video of the better one.

python examples/train_from_python.py [STEPS]
"""

import sys

import sandbox


def main(steps: int = 12_000) -> None:
    """Train DQN and Double DQN on Catch, three seeds each."""
    returns: dict[str, list[float]] = {}
    for config in ("catch_dqn", "catch_double_dqn"):
        for seed in range(3):
            run = sandbox.train(config, {"steps": steps, "seed": seed, "name": f"{config}_{seed}"}, quiet=True)
            returns.setdefault(config, []).append(run.evaluate(episodes=50, quiet=True)["return_mean"])
    for config, values in returns.items():
        print(f"{config}: {sum(values) / len(values):+.2f} of 1, seeds 0 to 2: {values}")
    best = max(returns, key=lambda config: sum(returns[config]))
    video = sandbox.load(f"{best}_0").video(episodes=3, quiet=True)
    print(f"a video of {best}: {video.path}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
