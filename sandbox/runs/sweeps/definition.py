"""The definition of a sweep in the words of W&B's sweep.yaml: method, metric, parameters, early_terminate, run_cap."""

import json
from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import Field, PositiveInt, ValidationError, field_validator, model_validator

from sandbox.config.base import Config
from sandbox.config.error_messages import explain
from sandbox.config.numbers import Seed
from sandbox.config.yaml_text import Origins, text_of
from sandbox.core.errors import UserError

SEED = "seed"
Distribution = Literal[
    "constant", "categorical", "int_uniform", "uniform", "q_uniform", "log_uniform_values", "q_log_uniform_values"
]


class Metric(Config):
    """The metric that a sweep compares its settings by."""

    name: str = Field(min_length=1, description="name of a metric that the runs log, such as eval/return")
    goal: Literal["maximize", "minimize"] = Field(description="the better direction")


class EarlyTerminate(Config):
    """The rule that stops trials which are worse than others after as many evaluations."""

    type: Literal["hyperband", "median"] = Field(
        description="hyperband: asynchronous successive halving (ASHA); median: stop below the median of other trials"
    )
    min_iter: PositiveInt = Field(1, description="evaluations before the first decision")
    eta: int = Field(3, ge=2, description="hyperband: one of eta trials is kept at each decision")
    min_trials: PositiveInt = Field(5, description="median: trials that end before any is stopped")


class Parameter(Config):
    """The values that an option takes: some values, one value, or a distribution from min to max."""

    values: tuple[Any, ...] | None = Field(None, description="values of a grid, or to choose from")
    value: Any = Field(None, description="the one value of all runs")
    min: int | float | None = Field(None, description="least value of a distribution")
    max: int | float | None = Field(None, description="largest value of a distribution")
    distribution: Distribution | None = Field(
        None, description="by default int_uniform for whole numbers min and max, uniform for others"
    )
    q: int | float | None = Field(None, gt=0, description="step of the distribution q_uniform; by default 1")

    @model_validator(mode="after")
    def _has_values(self) -> Self:
        given = self.model_fields_set
        kinds = [kind for kind in ("values", "value") if kind in given] + ["min and max"] * ("min" in given)
        if ("min" in given) != ("max" in given) or len(kinds) != 1:
            raise ValueError("give one of values, value, or min with max")
        if kinds == ["values"]:
            if not self.values:
                raise ValueError("values is empty; give at least one")
            texts = [text_of(value) for value in self.values]
            if twice := [text for index, text in enumerate(texts) if text in texts[:index]]:
                raise ValueError(f"{twice[0]} comes twice; give each value once")
        if (self.kind in ("constant", "categorical")) != (kinds != ["min and max"]):
            raise ValueError(f"the distribution {self.distribution} does not go with {kinds[0]}")
        if self.min is not None and self.max is not None:
            self._require_range(self.min, self.max)
        return self

    def _require_range(self, low: float, high: float) -> None:
        if not low < high:
            raise ValueError(f"the range from {low} to {high} is empty; min is the smaller number")
        if self.kind == "int_uniform" and not (isinstance(low, int) and isinstance(high, int)):
            raise ValueError("int_uniform needs whole numbers for min and max")
        if self.kind == "q_log_uniform_values" and not (isinstance(low, int) and isinstance(high, int) and not self.q):
            raise ValueError("q_log_uniform_values draws whole numbers: give whole min and max, and no q")
        if "log" in self.kind and low <= 0:
            raise ValueError(f"{self.kind} needs a min above 0")
        if self.q is not None and self.kind != "q_uniform":
            raise ValueError(f"q belongs to the distribution q_uniform, not to {self.kind}")

    @property
    def kind(self) -> str:
        """The distribution, filled in."""
        if self.distribution is not None:
            return self.distribution
        if "min" not in self.model_fields_set:
            return "categorical" if self.values is not None else "constant"
        return "int_uniform" if isinstance(self.min, int) and isinstance(self.max, int) else "uniform"

    def listed(self) -> tuple[Any, ...] | None:
        """Return all values, or None if they cannot be listed."""
        if self.kind == "constant":
            return (self.value,)
        if self.kind == "int_uniform" and isinstance(self.min, int) and isinstance(self.max, int):
            return tuple(range(self.min, self.max + 1)) if self.max - self.min < 10_000 else None
        return self.values

    def ends(self) -> tuple[Any, ...]:
        """Return the values that a check of every setting has to try: each value listed, or the ends of the range."""
        return self.values or ((self.value,) if self.kind == "constant" else (self.min, self.max))


class Definition(Config):
    """The configs, options and parameters of a sweep; `sweep.yaml` in its folder holds them."""

    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=60,
        description="name of the sweep's folder; null makes one from the config",
    )
    method: Literal["grid", "random", "bayes"] = Field(
        "grid", description="grid trains every combination; random and bayes search with Optuna"
    )
    config: tuple[str, ...] = Field((), description="configs of all runs: one name or file, or a list that is merged")
    options: tuple[str, ...] = Field((), description="further options of all runs, written key=value")
    parameters: dict[str, Parameter] = Field(description="options that differ between runs")
    metric: Metric | None = Field(None, description="what settings are compared by; null takes the main metric")
    run_cap: PositiveInt | None = Field(None, le=10_000, description="random and bayes: number of trials")
    early_terminate: EarlyTerminate | None = Field(None, description="rule that stops bad trials; null stops none")
    search_seed: Seed = Field(0, description="seed of the search; the runs have seeds of their own")

    @field_validator("parameters")
    @classmethod
    def _are_options(cls, parameters: dict[str, Parameter]) -> dict[str, Parameter]:
        if not parameters:
            raise ValueError("there are none; give an option with several values, such as seed: {values: [0, 1]}")
        if "name" in parameters:
            raise ValueError("a sweep names its runs itself; leave the parameter name out")
        return parameters

    @model_validator(mode="after")
    def _fits_the_method(self) -> Self:
        if self.method == "grid":
            for key, parameter in self.parameters.items():
                if parameter.listed() is None:
                    raise ValueError(f"a grid needs the values of {key}; give a list, or method random or bayes")
            if self.early_terminate is not None:
                raise ValueError("a grid trains all its runs; early_terminate needs method random or bayes")
            if self.run_cap is not None:
                raise ValueError("a grid trains all its runs; run_cap needs method random or bayes")
            return self
        if self.run_cap is None:
            raise ValueError(f"method {self.method} needs run_cap, the number of trials")
        if self.metric is None and (self.method == "bayes" or self.early_terminate):
            what = "method bayes" if self.method == "bayes" else "early_terminate"
            raise ValueError(f"{what} needs a metric, such as metric: {{name: eval/return, goal: maximize}}")
        if all(parameter.kind == "constant" or key == SEED for key, parameter in self.parameters.items()):
            raise ValueError("there is nothing to search: no parameter but seed has several values")
        if SEED in self.parameters and self.parameters[SEED].listed() is None:
            raise ValueError("every trial is trained with each seed; give the values of seed")
        return self

    @property
    def seeds(self) -> tuple[Any, ...]:
        """The seeds of each setting; empty if the config's own seed counts."""
        return (self.parameters[SEED].listed() or ()) if SEED in self.parameters else ()


def validated(given: dict[str, Any], origins: Origins) -> Definition:
    """Return the definition in a mapping.

    A single config may stand without a list, and parameters may be nested as W&B's are, `agent: {parameters: {...}}`.

    Args:
        given: The mapping.
        origins: Where key paths were written; `()` is the origin of those that are missing.

    Raises:
        UserError: With every mistake, one a line.
    """
    given = dict(given)
    if isinstance(given.get("config"), str):
        given["config"] = [given["config"]]
    if isinstance(given.get("parameters"), dict):
        given["parameters"] = dict(_flattened(given["parameters"], ""))
    try:
        return Definition.model_validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        lines = explain(error, origins, Definition, given).splitlines()
        raise UserError(lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} mistakes:", *lines])) from None


def _flattened(given: dict[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, entry in given.items():
        if isinstance(entry, dict) and set(entry) == {"parameters"} and isinstance(entry["parameters"], dict):
            yield from _flattened(entry["parameters"], f"{above}{key}.")
        else:
            yield f"{above}{key}", entry
