from typing import Any, Literal

from pydantic import Field

from sandbox.cli._describe import sections
from sandbox.config.base import Config


def by(option: str, **values: Any) -> Any:
    return Field(default_factory=lambda data: values[data[option]])


class Choosy(Config):
    """Defaults that follow `rules`."""

    size: Literal[1] = 1
    rules: Literal["old", "new"] = "old"
    count: int = by("rules", old=30, new=0)
    fast: bool = by("rules", old=True, new=True)
    twice: int = Field(default_factory=lambda data: 2 * data["count"])
    plain: list[int] = Field(default_factory=lambda: [1])


def test_a_default_that_follows_another_option_is_told_for_each_of_its_values():
    [section] = sections(Choosy, "env")
    defaults = {option.path: option.default for option in section.options}
    assert defaults == {
        "env.size": "1",
        "env.rules": "old",
        "env.count": "30 (old), 0 (new)",
        "env.fast": "true",
        "env.twice": "60",
        "env.plain": "[1]",
    }


def test_a_chosen_config_shows_its_values():
    [section] = sections(Choosy, "env", Choosy(rules="new"))
    assert [option.default for option in section.options if option.path in ("env.count", "env.twice")] == ["0", "0"]
