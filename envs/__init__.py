"""The worlds. One file is one environment; importing this package registers each as `Sandbox/<Name>-v0`.

`key_door.py` becomes `Sandbox/KeyDoor-v0`; options are keyword arguments of `gymnasium.make`.
"""

from pathlib import Path

from gymnasium.envs.registration import register

for _file in sorted(Path(__file__).parent.glob("[!_]*.py")):
    register(
        id=f"Sandbox/{_file.stem.title().replace('_', '')}-v0",
        entry_point="envs._single:SingleEnv",
        vector_entry_point="envs._batch:make_vector",
        kwargs={"name": _file.stem},
    )
