"""What of a run's config may differ when it is scored: its world, and how it is scored, but not what it has learnt."""

from collections.abc import Sequence

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.spec import Spec
from sandbox.runs.build import RunsIn
from sandbox.runs.config import RunConfig
from sandbox.runs.resolve import resolve
from sandbox.storage.run_folder import RunFolder

ENVIRONMENT = ("env", "data")
EVALUATION = (
    "agent.evaluation_epsilon",
    "generator.ais",
    "generator.bound_samples",
    "generator.importance_samples",
    "generator.sample_steps",
    "device",
    "precision",
    "threads",
)  # options that are read when a run is scored


def require_fit(folder: RunFolder, overrides: Sequence[str]) -> None:
    """Raises UserError unless the run of `folder` can be scored under `overrides`."""
    for override in overrides:
        option = override.partition("=")[0]
        if not _is_one_of(option, ENVIRONMENT + EVALUATION):
            raise UserError(
                f"{override}: a run is scored as it was trained; what can change is its world (env or data) and what "
                f"scoring itself reads ({', '.join(EVALUATION)}). To see what {option} does, train another run: "
                f"`sandbox train {folder.config} {override} name=...`"
            )
    changed = [override for override in overrides if _is_one_of(override.partition("=")[0], ENVIRONMENT)]
    if not changed:
        return
    known, seen = (_spec(folder, resolve([str(folder.config)], words)) for words in ((), overrides))
    if known != seen:
        raise UserError(
            f"{' '.join(changed)}: {folder.name} was built for {_words(known)}; with this there are {_words(seen)}. "
            "Leave them as they are, or train a run on these."
        )


def _is_one_of(option: str, known: Sequence[str]) -> bool:
    return any(option == name or option.startswith(f"{name}.") for name in known)


def _spec(folder: RunFolder, config: RunConfig) -> Spec:
    if config.env is not None:
        return spec_of(config.env.make(1))
    assert config.data is not None
    return config.data.make(Rng(config.seed), RunsIn(folder.path.parent)).spec


def _words(spec: Spec) -> str:
    kind = "bytes" if spec.is_bytes else "numbers"
    rest = f"{spec.num_actions} actions" if spec.num_actions else f"{spec.num_classes} classes"
    sources = "" if spec.source_shape is None else f" of sources {list(spec.source_shape)}"
    return f"{list(spec.shape)} {kind}{sources} and {rest}"
