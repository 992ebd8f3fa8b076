"""Members outside of this package: the user's files, and members of other installed packages.

Files are named by `--members PATH` or the environment variable SANDBOX_MEMBERS; packages declare entry points, such as

    [project.entry-points."sandbox.agents"]
    my_agent = "my_package.my_agent"

A folder has subfolders named after the families (`agents/`, `envs/`, `generators/`, `data/`) and `configs/`, or loose
files, each of the family of its config class. Files are read to find members; none is imported before it is used.
"""

import ast
import os
import sys
from collections.abc import Iterator, Mapping
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import NamedTuple

from sandbox.config.files import read
from sandbox.config.members import member_files
from sandbox.core.errors import UserError
from sandbox.core.messages import note

VARIABLE = "SANDBOX_MEMBERS"
CONFIGS = "configs"
_PACKAGES = {
    "envs": "sandbox.envs",
    "agents": "sandbox.agents",
    "generators": "sandbox.generators",
    "data": "sandbox.data",
}
BASES = {
    "EnvConfig": "envs",
    "BatchEnvConfig": "envs",
    "AgentConfig": "agents",
    "GeneratorConfig": "generators",
    "DataConfig": "data",
}
_SANDBOX = Path(__file__).resolve().parents[1]


class OwnMember(NamedTuple):
    """A member's file, its module ("" for a config), and where it was found: a path, or a package with its version.

    A `recalled` file was not named in this command, but remembered.
    """

    file: Path
    module: str
    source: str
    recalled: bool = False

    @property
    def is_named(self) -> bool:
        """True if a person named its file, and no package brought it."""
        return self.module.startswith("sandbox.")


class OwnMembers(MetaPathFinder):
    """The members outside of this package, and the finder that imports their files as `sandbox.agents.NAME`."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, OwnMember]] | None = None
        self._modules: dict[str, Path] = {}
        self._imported: dict[str, bytes] = {}  # modules and the files' content at the time

    def of(self, family: str) -> Mapping[str, OwnMember]:
        """Return the members of a family, or the config files, by name.

        Raises:
            UserError: If SANDBOX_MEMBERS names a path without members, or two have one name.
        """
        return self._all().get(family, {})

    def add(self, path: Path, *, recalled: bool = False) -> None:
        """Add a file, or the files of a folder.

        Args:
            path: The file or folder.
            recalled: Whether nobody named it in this command, and it was remembered.

        Raises:
            UserError: If there are no members at the path, or the name of one is taken.
        """
        for family, file in files_at(path.absolute()):
            module = f"{_PACKAGES[family]}.{file.stem}" if family in _PACKAGES else ""
            self._add(family, file.stem, OwnMember(file, module, str(path.absolute()), recalled))
            if module in self._imported and self._imported[module] != file.read_bytes():
                sys.modules.pop(module, None)  # it was edited: the next use imports it anew

    def forget(self) -> None:
        """Forget all members and their modules; packages and SANDBOX_MEMBERS are read again when they are needed."""
        for module in self._modules:
            sys.modules.pop(module, None)
        if self._found is not None:
            sys.meta_path.remove(self)
        self._found, self._modules, self._imported = None, {}, {}

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return where a module is, if it is the file of a member or of a helper of members."""
        file = self._modules.get(fullname)
        if file is None:
            return None
        self._imported[fullname] = file.read_bytes()
        return spec_from_file_location(fullname, file)

    def _all(self) -> dict[str, dict[str, OwnMember]]:
        if self._found is None:
            self._found = {family: {} for family in (*_PACKAGES, CONFIGS)}
            sys.meta_path.append(self)
            for family in _PACKAGES:
                for point in entry_points(group=f"sandbox.{family}"):
                    try:
                        self._add(family, point.name, _of_package(point))
                    except UserError as problem:
                        note(f"{_source(point)}: the member {point.name} is left out: {problem}")
            for path in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
                self.add(Path(path))
        return self._found

    def _add(self, family: str, name: str, member: OwnMember) -> None:
        if not name.startswith("_"):
            known = self._all()[family]
            if name in known and member.is_named and not known[name].is_named:
                note(f"{name}: {member.file} is used instead of the one in {known[name].source}")
                del known[name]
            taken = known[name].file if name in known else _built_in(family).get(name, member.file)
            if taken.resolve() != member.file.resolve():
                raise UserError(f"two {family} are called {name}: {taken} and {member.file}. Rename one of them.")
            known[name] = member
        if member.module:
            known_file = self._modules.setdefault(member.module, member.file)
            if known_file.resolve() != member.file.resolve():
                raise UserError(f"two files are {member.module}: {known_file} and {member.file}. Rename one of them.")


def members_in(file: Path) -> list[Path]:
    """Return the paths that a config file names as `members: [PATH]`, relative to its folder; none in a run's config.

    Raises:
        UserError: If the file is no config, or `members` is something else than paths.
    """
    if file.suffix not in (".yaml", ".yml") or not file.is_file() or file.with_name("run.json").exists():
        return []
    given = read(file)[0].get("members") or []
    paths = [given] if isinstance(given, str) else given
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise UserError(f"{file}: members: needs a path or a list of paths, got {given!r}")
    return [file.parent / path for path in paths]


def files_at(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files at a path with their families, helpers included; those of this package are passed over.

    Raises:
        UserError: If there is no such path, or no member at it.
    """
    if path.is_file():
        family = path.parent.name if path.parent.name in _PACKAGES else family_of(path)
        found = [(family, file) for file in (path, *helpers_of(path))] if family else []
    elif path.is_dir():
        found = [*_below(path), *_loose(path)]
    else:
        raise UserError(f"no members at {path}: there is no such file or folder.")
    if not found and not any(map(_is_built_in, _families_below(path))):
        raise UserError(
            f"no members at {path}. Name a Python file with a subclass of {', '.join(BASES)}; a folder of such files; "
            f"or a folder with subfolders {', '.join((*_PACKAGES, CONFIGS))}. `sandbox new agent my_agent` writes an "
            "example."
        )
    yield from found


def helpers_of(file: Path) -> list[Path]:
    """Return the helpers of a member's file: those next to it, in a folder that is called as a family."""
    if file.parent.name not in _PACKAGES:
        return []
    return [helper for helper in sorted(file.parent.glob("_[!_]*.py")) if helper.is_file()]


def family_of(file: Path) -> str | None:
    """Return the family of a Python file by its config class, or `configs` for a YAML file; None if it has none.

    Raises:
        UserError: For a file that is no Python, with the line.
    """
    if file.suffix in (".yaml", ".yml"):
        return CONFIGS
    try:
        tree = ast.parse(file.read_text("utf-8"))
    except SyntaxError as error:
        raise UserError(f"{file}:{error.lineno}: {error.msg}. Correct the file.") from None
    except ValueError as error:
        raise UserError(f"{file} is not a Python file: {error}") from None
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    bases = [ast.unparse(base).rpartition(".")[2] for node in classes for base in node.bases]
    return next((BASES[base] for base in bases if base in BASES), None)


def _below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files in subfolders that are called as the families."""
    for place in _families_below(folder):
        for file in sorted(place.glob("*.yaml" if place.name == CONFIGS else "*.py")):
            if file.stem != "__init__" and not _is_built_in(place):
                yield place.name, file


def _families_below(folder: Path) -> list[Path]:
    return [folder / family for family in (*_PACKAGES, CONFIGS) if (folder / family).is_dir()]


def _is_built_in(place: Path) -> bool:
    return place.resolve() == (_SANDBOX / place.name).resolve()


def _loose(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.glob("[!_]*.py")):
        try:
            family = family_of(file)
        except UserError as problem:
            note(f"{file.name} is left out: {problem}")
            continue
        if family:
            yield family, file


def _built_in(family: str) -> Mapping[str, Path]:
    if family == CONFIGS:
        return {file.stem: file for file in (_SANDBOX / CONFIGS).glob("*.yaml")}
    return member_files(_PACKAGES[family])


def _source(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "a package"


def _of_package(point: EntryPoint) -> OwnMember:
    """Return the member of an entry point; nothing is imported.

    Raises:
        UserError: If there is no such module, or it has another name than the member.
    """
    places, spec = None, None
    for depth in range(1, point.module.count(".") + 2):
        name = ".".join(point.module.split(".")[:depth])
        spec = next(filter(None, (finder.find_spec(name, places) for finder in sys.meta_path)), None)
        if spec is None:
            raise UserError(f"there is no module {name}")
        places = list(spec.submodule_search_locations or [])
    if spec is None or spec.origin is None:
        raise UserError(f"the module {point.module} is no file")
    if point.module.rpartition(".")[2] != point.name:
        raise UserError(f"its entry point is the module {point.module}, which must be called {point.name}")
    family = point.group.removeprefix("sandbox.")
    if (found := family_of(Path(spec.origin))) not in (family, None):
        raise UserError(f"its module defines one of {found}, so its entry point belongs to the group sandbox.{found}")
    return OwnMember(Path(spec.origin), point.module, _source(point))


own = OwnMembers()
