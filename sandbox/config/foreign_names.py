"""Names that users of Gymnasium, Stable-Baselines3 and CleanRL know, and what they are called here."""

import re
from collections.abc import Sequence

from sandbox.config.yaml_text import KeyPath

# Options of a whole run, wherever they were written.
_RUN_OPTIONS = {
    "total_timesteps": "steps",
    "n_timesteps": "steps",
    "max_steps": "steps",
    "eval_freq": "evaluate_period",
    "n_eval_episodes": "evaluate_episodes",
    "save_freq": "checkpoint_period",
    "log_interval": "log_period",
    "capture_video": "media_period",
    "env_id": "env",
    "wandb_project_name": "logger.project",
    "wandb_project": "logger.project",
    "track": "logger.wandb",
}
_OPTIONS = {
    "gamma": ("discount",),
    "buffer_size": ("capacity",),
    "replay_size": ("capacity",),
    "learning_rate": ("lr",),
    "alpha": ("lr",),
    "learning_starts": ("warmup",),
    "start_training": ("warmup",),
    "train_freq": ("update_period",),
    "train_frequency": ("update_period",),
    "target_update_interval": ("target_period",),
    "target_network_frequency": ("target_period",),
    "target_network_update_freq": ("target_period",),
    "n_envs": ("num_envs",),
    "max_grad_norm": ("clip_norm",),
    "clip_rewards": ("reward_clip",),
    "exploration_fraction": ("exploration", "steps"),
    "exploration_initial_eps": ("exploration", "start"),
    "exploration_final_eps": ("exploration", "end"),
    "start_e": ("exploration", "start"),
    "end_e": ("exploration", "end"),
    "epsilon": ("exploration",),
    "network": ("backbone",),
    "policy_kwargs": ("backbone",),
    "net_arch": ("hidden",),
    "hidden_sizes": ("hidden",),
    "hidden_size": ("hidden",),
    "normalization": ("norm",),
    "layer_norm": ("norm",),
    "batch_norm": ("norm",),
    "activation_fn": ("activation",),
    "dropout_rate": ("dropout",),
    "growth_rate": ("growth",),
    "layers": ("hidden",),
}
_AGENTS = {"ddqn": "double_dqn", "c51": "rainbow", "drqn": "drqn", "qlearning": "q_learning"}
_OF_SB3 = ("a2c", "crossq", "ddpg", "ppo", "qrdqn", "recurrent_ppo", "sac", "td3", "tqc", "trpo")
_BACKBONES = {
    **dict.fromkeys(("residual", "resnet18", "resnet20", "preactresnet"), "resnet"),
    **dict.fromkeys(("impalacnn", "impalaresnet"), "impala"),
    **dict.fromkeys(("lenet5",), "lenet"),
    **dict.fromkeys(("vgg11", "vgg16"), "vgg"),
    **dict.fromkeys(("googlenet", "inceptionv1"), "inception"),
    **dict.fromkeys(("densenet121",), "densenet"),
    **dict.fromkeys(("capsnet", "capsulenet"), "capsules"),
    **dict.fromkeys(("attention", "transformer", "selfattention", "vit"), "attentive"),
    **dict.fromkeys(("cnn", "naturecnn", "cnnpolicy", "conv", "naturedqn"), "nature"),
    **dict.fromkeys(("fc", "dense", "linear", "mlppolicy", "flatten"), "mlp"),
}
_ATARI = re.compile(r"(?:ALE/)?([A-Z][A-Za-z0-9]*?)(?:-ram)?(?:NoFrameskip|Deterministic)?-v\d+")


def options_meant(word: str, known: Sequence[KeyPath]) -> list[KeyPath]:
    """Return the options that users of other libraries call `word`.

    Args:
        word: An unknown option.
        known: Key paths of all options in its section, at any depth.
    """
    ending = _OPTIONS.get(word, ())
    return list(dict.fromkeys(path for path in known if ending and path[-len(ending) :] == ending))


def run_option_meant(word: str) -> str | None:
    """Return the option of a run that users of other libraries call `word`; None if nobody does."""
    return _RUN_OPTIONS.get(word)


def member_meant(section: str, word: str) -> str | None:
    """Return the section, in YAML, that users of other libraries call `word`; None if nobody does.

    Args:
        section: Last key of the section, such as `env`, `agent` or `backbone`.
        word: An unknown name of a member, such as `CartPole-v1` or `ppo`.
    """
    plain = re.sub(r"[^a-z0-9]", "", word.lower())
    match section:
        case "agent":
            of_sb3 = {name.replace("_", ""): name for name in _OF_SB3}
            if plain in of_sb3:
                return f"{{name: sb3, algorithm: {of_sb3[plain]}}}"
            return f"{{name: {_AGENTS[plain]}}}" if plain in _AGENTS else None
        case "backbone":
            return f"{{name: {_BACKBONES[plain]}}}" if plain in _BACKBONES else None
        case "env":
            return _env_meant(word)
    return None


def atari_games() -> list[str]:
    """Return the names of the Atari games for one player."""
    from ale_py import ALEInterface, roms  # only where a name is wrong

    return [
        game for game in sorted(roms.get_all_rom_ids()) if ALEInterface.isSupportedROM(str(roms.get_rom_path(game)))
    ]


def _env_meant(word: str) -> str | None:
    import gymnasium

    if found := re.fullmatch(r"Sandbox/(\w+)-v0", word):
        return f"{{name: {_snake(found[1])}}}"
    atari = _ATARI.fullmatch(word)
    if (game := _snake(atari[1]) if atari else word.lower()) in atari_games():
        return f"{{name: atari, game: {game}}}"
    if word in gymnasium.registry:
        return f"{{name: gym, id: {word}}}"
    if re.fullmatch(r"[^\W\d][\w.]*:[\w./-]+", word):  # of a module, which only a run imports
        return f"{{name: gym, id: {word}}}"
    if re.fullmatch(r"[\w./-]+-v\d+", word):
        stem = word.rpartition("-v")[0]
        versions = [int(name.rpartition("-v")[2]) for name in gymnasium.registry if name.rpartition("-v")[0] == stem]
        return f"{{name: gym, id: {stem}-v{max(versions)}}}" if versions else None
    return None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
