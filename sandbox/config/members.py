"""Members of a package: each file without a leading underscore is one, and its name is the member's."""

import importlib.util
import traceback
from importlib import import_module
from pathlib import Path
from types import ModuleType

from sandbox.core.errors import UserError


def member_files(package: str) -> dict[str, Path]:
    """Return the members' files by name, in alphabetical order; none is imported.

    Args:
        package: Dotted name, such as `sandbox.agents`. Folders that were added to its `__path__` count.

    Raises:
        UserError: If two members have one name.
    """
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    found: dict[str, Path] = {}
    for folder in folders or []:
        for file in Path(folder).glob("[!_]*.py"):
            if file.stem in found:
                raise UserError(
                    f"{package} has two members called {file.stem}: {found[file.stem]} and {file}. Rename one of them."
                )
            found[file.stem] = file
    return dict(sorted(found.items()))


def import_member(module: str, file: Path) -> ModuleType:
    """Import the module of a member's file.

    Raises:
        UserError: If it cannot be imported; the message has the file and the line.
    """
    try:
        return import_module(module)
    except UserError:
        raise
    except Exception as error:  # the file may be anybody's, so anything can happen in it
        raise UserError(
            f"{_place(error, file)}: {type(error).__name__}: {error}. This keeps {module} from being imported: mend "
            "the file, or move it away."
        ) from error


def _place(error: Exception, file: Path) -> str:
    """Return `file:line` of an error that importing `file` raised."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{error.filename}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f"{file}:{lines[-1]}" if lines else str(file)
