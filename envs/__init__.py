"""Environments; one file is one environment. Importing this package registers each of them as `Sandbox/<Name>-v0`.

`key_door.py` becomes `Sandbox/KeyDoor-v0`, and its options are keyword arguments of `gymnasium.make`:

    import gymnasium
    import sandbox.envs

    gymnasium.register_envs(sandbox.envs)
    env = gymnasium.make("Sandbox/KeyDoor-v0", size=5)

`gymnasium.make("sandbox.envs:Sandbox/KeyDoor-v0")` needs no import.
"""

from pathlib import Path

from gymnasium.envs.registration import register, registry

if __name__ == "envs":  # The folder of the sources was found instead of the installed package.
    raise ImportError("import sandbox.envs instead: `envs` by itself is only the folder of its sources")


def id_of(name: str) -> str:
    """Return the Gymnasium id of the environment in the file `name`."""
    return f"Sandbox/{name.title().replace('_', '')}-v0"


def register_id(name: str) -> None:
    """Register the environment in the file `name` with Gymnasium, if it is not registered yet."""
    if id_of(name) not in registry:
        register(
            id=id_of(name),
            entry_point="sandbox.envs._gymnasium:SingleEnv",
            vector_entry_point="sandbox.envs._gymnasium:make_vector",
            kwargs={"name": name},
        )


for _file in sorted(Path(__file__).parent.glob("[!_]*.py")):
    if _file.stem != "gym":  # Its environments are registered with Gymnasium already.
        register_id(_file.stem)
