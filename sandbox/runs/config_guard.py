"""Refuses to resume a checkpoint under a config that was edited since."""

from typing import Any

from sandbox.config.yaml_text import Origin
from sandbox.core.errors import UserError
from sandbox.runs.config import RunConfig
from sandbox.runs.resolve import checked


class ConfigGuard:
    """Stores a run's config in its checkpoints, and compares the two when the run is resumed.

    Only options that decide the numbers count. They are compared as this version reads them: an option that is younger
    than the checkpoint had its default.
    """

    def __init__(self, config: RunConfig) -> None:
        self._config = config

    def state_dict(self) -> dict[str, Any]:
        """Return the seed, the precision and the sections of the source and the learner."""
        settings = self._config.model_dump(mode="json")
        return {key: settings[key] for key in ("seed", "precision", *self._config.sections)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Do nothing if the saved config is the run's.

        Raises:
            UserError: If it is another one, or has options that do not exist any more.
        """
        try:
            config = checked({"steps": self._config.steps, **state}, {(): Origin("the checkpoint")})
        except UserError as error:
            raise UserError(
                f"this run was saved by another version, whose config this version does not read: {error} "
                "Resume it with that version (run.json has its number), or train a new run."
            ) from None
        saved = ConfigGuard(config).state_dict()
        if changed := [key for key, value in self.state_dict().items() if _deciding(value) != _deciding(saved[key])]:
            raise UserError(
                f"config.yaml has another {', '.join(changed)} than when this run was saved. "
                "Put it back to resume, or train a new run with these settings."
            )


def _deciding(section: Any) -> Any:
    """Return a section without the place of its data, which are compared with those of the checkpoint themselves."""
    return {key: value for key, value in section.items() if key != "root"} if isinstance(section, dict) else section
