"""The worlds. One file is one environment; importing this package registers each as `Sandbox/<Name>-v0`.

`key_door.py` becomes `Sandbox/KeyDoor-v0`; options are keyword arguments of `gymnasium.make`.
"""

from pathlib import Path

from gymnasium.envs.registration import register

if __name__ == "envs":  # found in the working folder, beside the installed package
    raise ImportError("import sandbox.envs instead: `envs` by itself is only the folder of its sources")


def id_of(name: str) -> str:
    """The Gymnasium id of the environment in the file `name`."""
    return f"Sandbox/{name.title().replace('_', '')}-v0"


for _file in sorted(Path(__file__).parent.glob("[!_]*.py")):
    if _file.stem == "gym":  # those have ids already
        continue
    register(
        id=id_of(_file.stem),
        entry_point="sandbox.envs._gymnasium:SingleEnv",
        vector_entry_point="sandbox.envs._gymnasium:make_vector",
        kwargs={"name": _file.stem},
    )
