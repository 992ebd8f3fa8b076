"""The rename table: names of the new house, and what they were in the old one.

Configs of the tape are written in the old house's words and are translated for the new house. Digests of the new house
are filed under the old house's words, so that a renamed part compares equal.
"""

import re
from copy import deepcopy
from fnmatch import fnmatchcase
from typing import Any

# (new path, old path) of options, or of whole sections, in a run's config: `("agent.recurrent", "agent.memory")`. In an
# old path, `agent:r2d2.n_step` is an option of one member only, by its old name. A `*` stands for any one key, in both
# paths: `("*.*.learning_rate", "*.*.lr")`.
OPTIONS: list[tuple[str, str]] = [
    ("agent.memory.chrono_init_horizon", "agent.memory.horizon"),
    ("agent.recurrent", "agent.memory"),
    ("agent.frame_stack", "agent.stream.stack"),
    ("agent.frame_stack", "agent:pqn.stack"),
    ("agent.n_step", "agent.stream.n_step"),
    ("agent.stream.priority_exponent", "agent.stream.exponent"),
    ("agent.stream.importance_exponent", "agent.stream.importance"),
    ("generator.regularizers", "generator.tricks"),
    ("generator.recognizer_size", "generator.recogniser_size"),
    ("generator.stage_one_steps", "generator.sketch_steps"),
    ("generator.stage_one", "generator.sketch"),
    ("generator.backbone.fourier_octaves", "generator.backbone.octaves"),
    ("generator.loss", "generator:gan.game"),
    ("data.color", "data.colour"),
]

# (path in old words, new value, old value) of options whose values are names: `("data.name", "colors", "colours")`.
VALUES: list[tuple[str, str, str]] = [
    ("data.name", "colors", "colours"),
    ("data.colour", "gray", "grey"),
    ("agent.optimizer.name", "centered_rmsprop", "centred_rmsprop"),
    ("generator.place", "center", "centre"),
    ("agent.exploration.name", "apex", "ladder"),
]

# (new, old) keys of wrappers in `env.wrappers`, at any depth of an environment's config.
WRAPPERS: list[tuple[str, str]] = []

# (regular expression of the new name, replacement in old words), all tried in this order, each on the whole key.
METRICS: list[tuple[str, str]] = [
    (r"^d_(real|fake)_to_image$", r"d_\1_there"),
    (r"^d_(real|fake)_to_source$", r"d_\1_back"),
    (r"^((?:eval/)?)factorized_log_likelihood", r"\1factorised_log_likelihood"),
]  # `loss`, `env/return`, `eval/length`, and what `evaluate` prints
STATES: list[tuple[str, str]] = [
    (r"^learner\.store/", "learner.memory/"),
    (r"((?:^|[./])env/(?:env/)*(?:arrays/)?)rng$", r"\1lanes"),
    (r"^learner\.target/network\.", "learner.target/"),
    (r"^learner\.target/_extra_state$", "learner.updates/value"),
    (r"^learner\.policy/steps$", "learner.steps/value"),
    (r"^(learner\.)pending(.*)/next_observations\b", r"\1waiting\2/last"),
    (r"^learner\.pending\b", "learner.waiting"),
    (r"^stream\.rollout/", "stream.carried/"),
    (r"\battention\.scores\.query\b", "attention.scores.memory"),
    (r"^(learner\.(?:network|target))/recurrent\b", r"\1/memory"),
    (r"/recurrent\b", r"/memory"),
    (r"^learner\.stage_one\b", "learner.sketching"),
    (r"^learner\.stage_two\b", "learner.painting"),
    (r"^(learner\.painting\.(?:generator|average)/)features\b", r"\1look"),
    (r"^(learner\.painting\.(?:generator|average)/)residual\b", r"\1think"),
    (r"^(learner\.painting\.(?:generator|average)/)decoder\b", r"\1paint"),
    (r"^(learner\.(?:\w+\.)?discriminator/)minibatch_discrimination\b", r"\1closeness"),
    (r"^learner\.discriminator/discriminator\b", "learner.discriminator/judge"),
    (r"^learner\.discriminator/recognizer\b", "learner.discriminator/codes"),
    (r"^learner\.preview_images\b", "learner.held"),
    (r"^(learner\.(?:generators/|discriminators/|averages/|pool_))to_image\b", r"\1there"),
    (r"^(learner\.(?:generators/|discriminators/|averages/|pool_))to_source\b", r"\1back"),
]  # `learner.network/layers.0.weight`, `stream.replay/age`, info and data set fields
STREAMS: list[tuple[str, str]] = []  # of random numbers: `torch/explore/1`, below the part `rng`
ASKS: list[tuple[str, str]] = []  # methods of generators: `sample`, `log_likelihood/nats`

# (pattern of a case, pattern of a key, reason), as of a shell; what may differ, be missing, or be new.
_WARM_UP = "the average of a generator's weights warms up: samples and figures are those of another average"
_AVERAGED = [f"{name}*" for name in ("cgan", "context_encoder", "cyclegan", "dcgan", "gan", "infogan", "lapgan")]
_AVERAGED += [f"{name}*" for name in ("lsgan", "pix2pix", "sngan", "stackgan", "wgan")]
_SHOWN = ("state/learner*average*", "ask/*", "eval/*", "metrics/*/eval/*")
CHANGED_ON_PURPOSE: list[tuple[str, str, str]] = [
    ("stackgan*", "state/rng/*instance_noise/*", "each stage has its own stream of instance noise"),
    ("stackgan_instance_noise", "*", "each stage has its own stream of instance noise; both shared one by accident"),
    ("lapgan*", "state/rng/*instance_noise/*", "each level has its own stream of instance noise"),
    ("lapgan_instance_noise", "*", "each level has its own stream of instance noise; all shared one by accident"),
    ("pix2pix", "state/rng/*", "the agent that makes frames has random streams outside of the run"),
    ("cyclegan", "state/rng/*", "the agent that makes frames has random streams outside of the run"),
    ("*", "state/learner.policy/num_envs", "new: the policy knows how many environments explore, for its mean epsilon"),
    ("*", "metrics/*/gradient_norm*", "new: the log has the norm of the gradient"),
    ("*", "metrics/*/units/*", "new: the log has the shares of dead and of saturated units"),
    *((case, key, _WARM_UP) for case in _AVERAGED for key in _SHOWN),
    ("stackgan*", "*", f"{_WARM_UP}, and the second stage learns from samples of the first"),
    ("cyclegan", "state/learner.updates/value", "new: the warm-up of the average counts the updates"),
    ("rbm_gaussian", "*density*", "new: the density of gray images"),
    ("data/*", "data/set/classes*", "new: names of classes"),
    ("data/images*", "*", "each file belongs to the training or the test images by its content"),
]

_TABLES = {"metrics": METRICS, "eval": METRICS, "state": STATES, "data": STATES, "ask": ASKS}


def old_key(key: str) -> str:
    """Translate the key of a digest, such as `state/learner.online/weight`, to the old house's words."""
    kind, _, rest = key.partition("/")
    if kind == "metrics":
        row, _, name = rest.partition("/")
        return f"{kind}/{row}/{_substituted(name, METRICS)}"
    if rest.startswith("rng/"):
        return f"{kind}/rng/{_substituted(rest.removeprefix('rng/'), STREAMS)}"
    return f"{kind}/{_substituted(rest, _TABLES.get(kind, STATES))}"


def new_config(config: dict[str, Any]) -> dict[str, Any]:
    """Translate a run's config from the old house's words to the new ones."""
    members = {section: part.get("name") for section, part in config.items() if isinstance(part, dict)}
    config = _wrappers(deepcopy(config))
    for path, new, old in VALUES:
        for keys in _matching(config, path.split(".")):
            part = _part(config, keys[:-1])
            if part[keys[-1]] == old:
                part[keys[-1]] = new
    for new_path, old_path in OPTIONS:
        first, *rest = old_path.split(".")
        section, _, member = first.partition(":")
        if member and members.get(section) != member:
            continue
        pattern = [section, *rest]
        for keys in _matching(config, pattern):
            starred = iter([key for key, name in zip(keys, pattern, strict=True) if name == "*"])
            *sections, last = [next(starred) if name == "*" else name for name in new_path.split(".")]
            value = _part(config, keys[:-1]).pop(keys[-1])
            _part(config, sections)[last] = value
    return config


def reason(case: str, key: str, more: list[tuple[str, str, str]]) -> str | None:
    """Say why this digest may differ, or None if it may not."""
    for case_pattern, key_pattern, why in [*CHANGED_ON_PURPOSE, *more]:
        if fnmatchcase(case, case_pattern) and fnmatchcase(key, key_pattern):
            return why
    return None


def _substituted(name: str, rules: list[tuple[str, str]]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def _matching(tree: Any, pattern: list[str]) -> list[list[str]]:
    """The paths in a config that fit a pattern, whose `*` stand for any one key."""
    if not pattern:
        return [[]]
    found = [key for key in tree if pattern[0] in ("*", key)] if isinstance(tree, dict) else []
    return [[key, *rest] for key in found for rest in _matching(tree[key], pattern[1:])]


def _part(config: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """Follow the keys into a config; sections that are not there are made."""
    for key in keys:
        config = config.setdefault(key, {})
    return config


def _wrappers(tree: Any) -> Any:
    """Rename the wrappers, in the environment of a run and in that of a data set."""
    if not isinstance(tree, dict):
        return tree
    names = {old: new for new, old in WRAPPERS}
    changed = {key: _wrappers(value) for key, value in tree.items()}
    if isinstance(changed.get("wrappers"), list):
        changed["wrappers"] = [
            {names.get(name, name): options for name, options in item.items()} for item in changed["wrappers"]
        ]
    return changed
