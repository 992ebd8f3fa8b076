"""Train, evaluate, watch and resume popular third-party environments, and print the table of docs/environments.md.

    pip install -e ".[box2d]" "gymnasium[mujoco]" "mujoco<4" minigrid minatar highway-env flappy-bird-gymnasium
    pip install tetris-gymnasium vizdoom panda-gym pettingzoo crafter popgym gym-pusht gym-anytrading mo-gymnasium
    pip install "shimmy[dm-control]" gymnasium-robotics gymnasium-snake-game gym-super-mario-bros miniworld
    python benchmarks/popular_environments.py out/                   # all: about 10 minutes of one core
    python benchmarks/popular_environments.py out/ --only Blackjack  # ids that contain a word

Each id has its own process, forked so that imports are paid once. An id passes if the four commands succeed; a missing
package is "not installed". `out/` gets the output of every command, and a frame of every video.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

os.environ.update(SDL_VIDEODRIVER="dummy", WANDB_MODE="disabled")
os.environ.setdefault("MUJOCO_GL", "egl")

import av
import yaml

import sandbox.agents.dqn
import sandbox.agents.q_learning
import sandbox.agents.sb3  # noqa: F401, the slow imports, once
from sandbox.cli.main import main as sandbox_main
from sandbox.envs.gym import GymConfig
from sandbox.interfaces.environment import spec_of

OWN_IDS = Path(__file__).with_name("popular_ids.py")
_SECONDS = 600  # for one id
COMMON = [
    "seed=0", "threads=1", "log_period=100", "evaluate_period=0", "media_period=0", "logger.wandb=off",
]  # fmt: skip
DQN = ["catch_dqn", "agent.frame_stack=1", "agent.stream.replay={num_envs: 2, capacity: 2000, warmup: 100}"]
SB3 = ["catch_sb3", "agent.stream.num_envs=2", "agent.total_steps=600"]
AGENTS = {
    "dqn mlp": [*DQN, "agent.backbone={name: mlp, hidden: [64]}"],
    "dqn nature": DQN,
    "dqn impala": [*DQN, "agent.backbone={name: impala, channels: [8, 16]}"],
    "q_learning": ["grid_world_q_learning", "agent.stream.num_envs=4"],
    "sac": [*SB3, "agent.algorithm=sac", "agent.options.sac={learning_starts: 100}"],
    "ppo": [*SB3, "agent.algorithm=ppo"],
}


class Popular(NamedTuple):
    """An id: its package at PyPI, the module that it needs, options of `env`, and an agent."""

    id: str
    package: str
    module: str
    agent: str
    show: str = ""
    options: str = ""


POPULAR = [
    Popular("CartPole-v1", "gymnasium", "gymnasium", "dqn mlp"),
    Popular("Acrobot-v1", "gymnasium", "gymnasium", "dqn mlp"),
    Popular("MountainCar-v0", "gymnasium", "gymnasium", "dqn mlp"),
    Popular("Pendulum-v1", "gymnasium", "gymnasium", "sac"),
    Popular("MountainCarContinuous-v0", "gymnasium", "gymnasium", "ppo"),
    Popular("Blackjack-v1", "gymnasium", "gymnasium", "q_learning", show="observe: index"),
    Popular("FrozenLake-v1", "gymnasium", "gymnasium", "q_learning", show="observe: index"),
    Popular("Taxi-v4", "gymnasium", "gymnasium", "q_learning", show="observe: index"),
    Popular("CliffWalking-v1", "gymnasium", "gymnasium", "q_learning", show="observe: index"),
    Popular("LunarLander-v3", "gymnasium[box2d]", "Box2D", "dqn mlp"),
    Popular("BipedalWalker-v3", "gymnasium[box2d]", "Box2D", "sac"),
    Popular("CarRacing-v3", "gymnasium[box2d]", "Box2D", "dqn nature", options="continuous: false"),
    Popular("HalfCheetah-v5", "gymnasium[mujoco]", "mujoco", "sac"),
    Popular("Ant-v5", "gymnasium[mujoco]", "mujoco", "sac"),
    Popular("minigrid:MiniGrid-DoorKey-5x5-v0", "minigrid", "minigrid", "dqn mlp", show="parts: [image]"),
    Popular("minigrid:BabyAI-GoToRedBall-v0", "minigrid", "minigrid", "dqn mlp"),
    Popular("popular_ids:MinAtar/Breakout-v1", "minatar", "minatar", "dqn impala"),
    Popular("highway_env:highway-fast-v0", "highway-env", "highway_env", "dqn mlp"),
    Popular("flappy_bird_gymnasium:FlappyBird-v0", "flappy-bird-gymnasium", "flappy_bird_gymnasium", "dqn mlp"),
    Popular("popular_ids:Popular/TicTacToe-v0", "pettingzoo", "pettingzoo", "dqn mlp"),
    Popular("popular_ids:Popular/ConnectFour-v0", "pettingzoo", "pettingzoo", "dqn mlp"),
    Popular("popular_ids:Popular/Crafter-v0", "crafter", "crafter", "dqn nature"),
    Popular("panda_gym:PandaReach-v3", "panda-gym", "panda_gym", "sac"),
    Popular("gymnasium_robotics:FetchReach-v4", "gymnasium-robotics", "gymnasium_robotics", "sac"),
    Popular("shimmy:dm_control/cartpole-swingup-v0", "shimmy[dm-control]", "dm_control", "sac"),
    Popular("vizdoom.gymnasium_wrapper:VizdoomBasic-v1", "vizdoom", "vizdoom", "dqn nature", show="parts: [screen]"),
    Popular("popgym:popgym-PositionOnlyCartPoleEasy-v0", "popgym", "popgym", "dqn mlp"),
    Popular("gym_pusht:gym_pusht/PushT-v0", "gym-pusht", "gym_pusht", "ppo", options="obs_type: state"),
    Popular("gym_anytrading:stocks-v0", "gym-anytrading", "gym_anytrading", "dqn mlp"),
    Popular("gymnasium_snake_game:Snake-v1", "gymnasium-snake-game", "gymnasium_snake_game", "dqn mlp"),
    Popular("tetris_gymnasium.envs:tetris_gymnasium/Tetris", "tetris-gymnasium", "tetris_gymnasium", "dqn mlp"),
    Popular("mo_gymnasium:deep-sea-treasure-v0", "mo-gymnasium", "mo_gymnasium", "dqn mlp"),
    Popular("miniworld:MiniWorld-OneRoom-v0", "miniworld", "miniworld", "dqn nature"),
    Popular("gym_super_mario_bros:SuperMarioBros-v0", "gym-super-mario-bros", "gym_super_mario_bros", "dqn nature"),
    Popular("crafter:CrafterReward-v1", "crafter", "crafter", "dqn nature"),
]


def commands(popular: Popular, folder: Path) -> dict[str, list[str]]:
    """Return the command lines that an id must pass."""
    show = f", {popular.show}" if popular.show else ""
    options = f"max_episode_steps: 60, {popular.options}".removesuffix(", ")  # short videos
    env = f'env={{name: gym, id: "{popular.id}"{show}, options: {{{options}}}}}'
    steps, runs = ["steps=300", "checkpoint_period=300", "name=run"], f"--runs={folder / 'runs'}"
    return {
        "trained": ["train", *AGENTS[popular.agent], *COMMON, *steps, env, runs],
        "evaluated": ["evaluate", "run", "--episodes=1", runs],
        "watched": ["watch", "run", "--video", str(folder / "video.mp4"), "--episodes=1", runs],
        "resumed": ["resume", "run", "--steps=450", runs],
    }


def one(popular: Popular, folder: Path) -> None:
    """Run the commands of an id in this process, and write their exit codes and outputs."""
    with (folder / "output.txt").open("w") as output:
        os.dup2(output.fileno(), 1), os.dup2(output.fileno(), 2)
    shutil.copy(OWN_IDS, folder)  # its ids are found in the working folder
    os.chdir(folder)  # some environments write files there
    codes = {}
    for name, words in commands(popular, folder).items():
        print(f"=== {name}: sandbox {' '.join(words)}", flush=True)
        sys.argv = ["sandbox", *words]
        codes[name] = 0
        try:
            sandbox_main()
        except SystemExit as ended:
            codes[name] = int(ended.code or 0)
        sys.stdout.flush(), sys.stderr.flush()
        (folder / "codes.json").write_text(json.dumps(codes))
        if codes[name] and name == "trained":
            return
    save_frame(folder)
    (folder / "seen.txt").write_text(seen(folder / "runs" / "run"))


def seen(run: Path) -> str:
    """Return the observations and actions of an id as an agent sees them."""
    env = GymConfig(**yaml.safe_load((run / "config.yaml").read_text())["env"]).make(1)
    spec = spec_of(env)
    kind = "bytes" if spec.is_bytes else "floats"
    size = 0 if spec.num_actions else spec.action_space.shape[0]
    actions = f"{spec.num_actions} actions" if not size else f"actions of {size} number{'s' * (size > 1)}"
    env.close()
    return f"{' × '.join(map(str, spec.shape))} {kind}, {actions}"


def save_frame(folder: Path) -> None:
    """Save the frame in the middle of the video."""
    if (folder / "video.mp4").exists():
        with av.open(str(folder / "video.mp4")) as video:
            frames = [frame.to_image() for frame in video.decode(video=0)]
        frames[len(frames) // 2].save(folder / "frame.png")


def row(popular: Popular, out: Path) -> str:
    """Run an id in a process of its own, and return its line of the table."""
    folder = out / popular.id.replace(":", "_").replace("/", "_")
    head = f"| `{popular.id}` | `{popular.package}` | {popular.agent} |"
    if not find_spec(popular.module):
        return f"{head} | | not installed |"
    folder.mkdir(parents=True)
    sys.stdout.flush()
    child = multiprocessing.get_context("fork").Process(target=one, args=(popular, folder))
    child.start()
    child.join(_SECONDS)
    child.kill()
    said = (folder / "output.txt").read_text()
    codes = json.loads((folder / "codes.json").read_text()) if (folder / "codes.json").exists() else {}
    shown = (folder / "seen.txt").read_text() if (folder / "seen.txt").exists() else ""
    return f"{head} {shown} | {result_of(codes, said)} |"


def result_of(codes: dict[str, int], said: str) -> str:
    """Return the last column: the commands that passed, and the message of the first one that did not."""
    done = [name for name, code in codes.items() if not code]
    if len(done) < 4 or "Traceback" in said:
        errors = [line for line in said.splitlines() if line.startswith("error: ")] or said.splitlines()[-1:]
        wrong = "TRACEBACK" if "Traceback" in said else "refused"
        return f"{', '.join([*done, wrong])}: {' '.join(errors).removeprefix('error: ')}"
    cut = "resumed with new episodes" if "new ones begin" in said else "resumed"
    return f"trained, evaluated, watched, {cut}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--only", default="", help="part of an id, or several between commas")
    given = parser.parse_args()
    print("| id | `pip install` | agent | the agent sees | result |\n|---|---|---|---|---|", flush=True)
    for popular in POPULAR:
        if any(word in popular.id for word in given.only.split(",")):
            print(row(popular, given.out.resolve()), flush=True)


if __name__ == "__main__":
    main()
