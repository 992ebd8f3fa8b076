"""The plan of a search: Optuna proposes settings, and its file in the sweep's folder remembers them.

Any number of processes may search on one file. The proposal for trial N is drawn with a random stream of its own, made
from the seed of the search and N, so that a search that was stopped proposes what it would have proposed without it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.config.yaml_text import text_of
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.report.run_record import RunRecord
from sandbox.runs.config import RunConfig
from sandbox.runs.sweeps.definition import SEED, Definition, EarlyTerminate, Parameter
from sandbox.runs.sweeps.outcome import metric_of, score_of
from sandbox.runs.sweeps.settings import PlannedRun, Setting, check_ends, resolved, setting
from sandbox.runs.sweeps.sweep_folder import SweepFolder
from sandbox.storage.run_folder import RunFolder

_MISSING = "this sweep searches with Optuna, which is not installed: pip install 'rl-sandbox[sweep]'"
_STUDY = "sweep"


def require_optuna() -> Any:
    """Return the package optuna.

    Raises:
        UserError: If it is not installed; with the command that installs it.
    """
    try:
        import optuna
    except ImportError:
        raise UserError(_MISSING) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


class SearchPlan:
    """The trials of a search so far, and the next ones.

    Raises:
        UserError: If Optuna is missing, or an option or an end of a range is no config.
    """

    def __init__(self, definition: Definition, runs: Path, folder: SweepFolder, typed: str) -> None:
        self._optuna = require_optuna()
        self._definition, self._runs, self._folder, self._typed = definition, runs, folder, typed
        check_ends(definition, typed)
        self._storage: Any = None
        self._configs: dict[str, RunConfig] = {}
        self._settings: list[Setting] = []
        self._closed: dict[int, bool] = {}  # whether each closed trial was stopped early
        self._numbers: list[int] = []  # of Optuna's trial for each setting
        self._sizes: dict[int, int] = {}  # bytes of each log that were read
        self._reported: dict[int, int] = {}  # evaluations that Optuna knows

    def open(self) -> None:
        """Open the file of Optuna, or make it, and read its trials."""
        from optuna.storages.journal import JournalFileBackend

        optuna, metric = self._optuna, self._definition.metric
        self._storage = optuna.storages.JournalStorage(JournalFileBackend(str(self._folder.search)))
        with self._folder.locked():
            self._study = optuna.create_study(
                storage=self._storage,
                study_name=_STUDY,
                direction=metric.goal if metric else "maximize",
                load_if_exists=True,
                pruner=_pruner(optuna, self._definition.early_terminate),
            )
        self._read()

    def settings(self) -> Sequence[Setting]:
        """Return the trials so far."""
        return self._settings

    def update(self) -> None:
        """Read the trials of other processes."""
        self._read()

    def propose(self) -> bool:
        """Ask Optuna for one more trial, if there are fewer than `run_cap`; other processes' trials count."""
        optuna = self._optuna
        if len(self._settings) >= (self._definition.run_cap or 0):
            return False
        with self._folder.locked():
            before = len(self._settings)
            self._read(is_alone=True)
            if len(self._settings) == before:
                self._study.sampler = self._sampler(before)
                searched = {key: each for key, each in self._definition.parameters.items() if key != SEED}
                self._study.ask({key: _distribution(optuna, each) for key, each in searched.items()})
                self._read()
        self._folder.record(self._settings)
        return True

    def is_closed(self, setting: Setting) -> bool:
        """Return whether a trial has ended."""
        return setting.number in self._closed

    def close(self, setting: Setting) -> None:
        """Tell Optuna the mean of the runs' scores.

        Raises:
            UserError: If they have not logged the metric.
        """
        records = [RunRecord.read(RunFolder(self._runs / run.name)) for run in setting.runs]
        metric = metric_of(records, self._definition.metric)
        scores = [score_of(record, metric.name) if metric else None for record in records]
        known = [score for score in scores if score is not None]
        self._closed[setting.number] = False
        with self._folder.locked():
            number, state = self._numbers[setting.number], self._optuna.trial.TrialState
            if known:
                self._study.tell(number, sum(known) / len(known), skip_if_finished=True)
            else:
                self._study.tell(number, state=state.FAIL, skip_if_finished=True)

    def should_stop(self, setting: Setting) -> bool:
        """Report new evaluations of the first run of a trial, and return whether they are worse than others'."""
        metric = self._definition.metric
        if self._definition.early_terminate is None or metric is None or setting.number in self._closed:
            return setting.number in self._closed
        folder = RunFolder(self._runs / setting.runs[0].name)
        size = folder.metrics.stat().st_size if folder.metrics.is_file() else 0
        if size == self._sizes.get(setting.number, 0):
            return False
        self._sizes[setting.number] = size
        values = [value for _, _, value in RunRecord.read(folder).curve(metric.name)]
        begin = self._reported.get(setting.number, 0)
        if len(values) == begin:
            return False
        number = self._numbers[setting.number]
        study = self._storage.get_study_id_from_name(_STUDY)
        identity = self._storage.get_trial_id_from_study_id_trial_number(study, number)
        trial = self._optuna.trial.Trial(self._study, identity)
        for place, value in enumerate(values[begin:], begin + 1):
            self._reported[setting.number] = place
            trial.report(value, place)
            if trial.should_prune():
                self._closed[setting.number] = True
                with self._folder.locked():
                    state = self._optuna.trial.TrialState.PRUNED
                    self._study.tell(number, state=state, skip_if_finished=True)
                return True
        return False

    def config(self, run: PlannedRun) -> RunConfig:
        """Return the config of a run."""
        if run.name not in self._configs:
            self._configs[run.name] = resolved(self._definition, run, self._typed)
        return self._configs[run.name]

    def _read(self, *, is_alone: bool = False) -> None:
        """Read the trials from the file of Optuna.

        Args:
            is_alone: Whether no other process is asking: a trial without all its values was then left by one that was
                killed, and is given up.
        """
        state = self._optuna.trial.TrialState
        wanted = self._definition.parameters.keys() - {SEED}
        rank = 0
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state == state.FAIL and not trial.params.keys() >= wanted:
                continue
            if not trial.params.keys() >= wanted:
                if is_alone:
                    self._study.tell(trial.number, state=state.FAIL)
                continue
            if rank == len(self._settings):
                known = self._definition.parameters.items()
                options = {key: _value(each, trial.params[key]) for key, each in known if key in wanted}
                self._settings.append(setting(self._definition, rank, options, f"t{rank:03}"))
                self._numbers.append(trial.number)
            if trial.state in (state.COMPLETE, state.PRUNED, state.FAIL):
                self._closed.setdefault(rank, trial.state == state.PRUNED)
            rank += 1

    def _sampler(self, number: int) -> Any:
        """Return the sampler for a trial."""
        seed = Rng(self._definition.search_seed).child(f"trial/{number}").integer("sampler") % 2**32
        samplers = self._optuna.samplers
        if self._definition.method == "random":
            return samplers.RandomSampler(seed=seed)
        return samplers.TPESampler(seed=seed, constant_liar=True)


def _distribution(optuna: Any, parameter: Parameter) -> Any:
    """Return the distribution of Optuna for a parameter."""
    kinds, low, high = optuna.distributions, parameter.min, parameter.max
    match parameter.kind:
        case "constant" | "categorical":
            return kinds.CategoricalDistribution([text_of(value) for value in parameter.ends()])
        case "int_uniform":
            return kinds.IntDistribution(low, high)
        case "q_uniform" if all(isinstance(each, int) for each in (low, high, parameter.q or 1)):
            return kinds.IntDistribution(low, high, step=parameter.q or 1)
        case "q_uniform":
            return kinds.FloatDistribution(low, high, step=parameter.q or 1)
        case "q_log_uniform_values":
            return kinds.IntDistribution(low, high, log=True)
        case kind:
            return kinds.FloatDistribution(low, high, log=kind == "log_uniform_values")


def _value(parameter: Parameter, drawn: Any) -> Any:
    """Return the value that Optuna has drawn; it knows listed ones by their text."""
    if parameter.kind in ("constant", "categorical"):
        return next(value for value in parameter.ends() if text_of(value) == drawn)
    return drawn


def _pruner(optuna: Any, rule: EarlyTerminate | None) -> Any:
    if rule is None:
        return optuna.pruners.NopPruner()
    if rule.type == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=rule.min_trials, n_warmup_steps=rule.min_iter - 1)
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=rule.min_iter, reduction_factor=rule.eta)
