"""Trains the runs of a sweep on the nodes of a Ray cluster.

Ray decides where a process runs, and no more: the sweep's folder has the plan, the search and the results. So these are
plain actors instead of Ray Tune, whose experiments live in pickles and need a disk that all nodes share. A run is
trained in a temporary folder of its node, and its files come home every few seconds.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sandbox.core.errors import UserError
from sandbox.runs.config import RunConfig
from sandbox.runs.ray_connection import connect
from sandbox.runs.remembered_members import words_of_members
from sandbox.runs.sweeps.child import error_in
from sandbox.runs.sweeps.copies import Copies
from sandbox.runs.sweeps.remote_folder import LOG, PIECE, RemoteFolder, listing
from sandbox.runs.sweeps.settings import PlannedRun
from sandbox.storage.files import is_file
from sandbox.storage.run_folder import RunFolder

LOCAL = "local"
_PERIOD = 2.0  # seconds between two looks at a run's files


class RayCluster:
    """A Ray cluster to which this process is connected."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def start(
        self, run: PlannedRun, config: RunConfig, configs: Sequence[str], folder: RunFolder, log: Path, device: str
    ) -> "RayChild":
        """Start to train a run on a node that has a CPU for each of its threads; see `Child`."""
        cpus, gpus = config.threads or 1, int(device.startswith("cuda"))
        self._require_node(cpus, gpus)
        node = self._ray.remote(RemoteFolder).options(num_cpus=cpus, num_gpus=gpus, max_restarts=0).remote()
        return RayChild(self._ray, node, run, config, configs, folder, log, device)

    def _require_node(self, cpus: int, gpus: int) -> None:
        """Raise `UserError` if no node is large enough for a run, which would wait for ever."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        if not any(node.get("CPU", 0) >= cpus and node.get("GPU", 0) >= gpus for node in nodes):
            has = ", ".join(f"{node.get('CPU', 0):.0f} CPUs and {node.get('GPU', 0):.0f} GPUs" for node in nodes)
            raise UserError(
                f"a run needs {cpus} CPUs and {gpus} GPUs of one node, and the nodes of this cluster have {has}: "
                "choose fewer with threads=N, or leave --devices out"
            )


class RayChild:
    """A run that a node trains; see `Child`."""

    def __init__(
        self,
        ray: Any,
        node: Any,
        run: PlannedRun,
        config: RunConfig,
        configs: Sequence[str],
        folder: RunFolder,
        log: Path,
        device: str,
    ) -> None:
        """Start to train.

        Args:
            ray: The package.
            node: The remote folder.
            run: The run.
            config: Its config.
            configs: Names or files of the configs that its words override.
            folder: Its folder here; a run that has one is resumed.
            log: File for its output.
            device: `cuda:N` if the node has to give it a GPU.
        """
        self.run, self.config, self.folder, self.log, self.device = run, config, folder, log, device
        self.is_stopping = self.is_lost = False
        self._ray, self._node, self._configs = ray, node, configs
        self._asked = threading.Event()
        self._code, self._error = 0, ""
        log.parent.mkdir(exist_ok=True)
        log.write_bytes(b"")
        self._thread = threading.Thread(target=self._train, name=run.name, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """True once the process has ended and its files are here."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Ask the process to save and end."""
        self.is_stopping = True
        self._asked.set()

    def kill(self) -> None:
        """End the process at once."""
        self._ray.kill(self._node)
        self._thread.join()

    def last_error(self) -> str:
        """Return the error that ended the run in one line."""
        return self._error or error_in(self.log, self._code)

    def _train(self) -> None:
        """Train the run on the node, and bring its files home."""
        try:
            self._send()
            copies = Copies(self.folder, self.log, (f"runs/{self.run.name}", LOG))
            copies.sent(self._call(self._node.start, self._words()))
            code, was_asked = None, False
            while code is None:
                self._asked.wait(_PERIOD if not was_asked else _PERIOD / 10)
                if self._asked.is_set() and not was_asked:
                    was_asked = True
                    self._call(self._node.stop)
                code, files = self._call(self._node.look)
                copies.update(files, lambda *piece: self._call(self._node.read, *piece))
            self._code = code
        except self._ray.exceptions.RayError as error:
            lines = str(error).strip().splitlines()
            self.is_lost = not isinstance(error, self._ray.exceptions.RayTaskError)  # which is raised by our own code
            self._error = f"lost with its node ({lines[0]})" if self.is_lost else lines[-1]
        except OSError as error:
            self._error = f"{error.strerror}: {error.filename}" if error.filename else str(error)
        except UserError as error:
            self._error = str(error)
        finally:
            with suppress(self._ray.exceptions.RayError):
                self._call(self._node.close)
            self._ray.kill(self._node)

    def _call(self, method: Any, *given: Any) -> Any:
        """Call a method of the remote folder, and wait for its result."""
        return self._ray.get(method.remote(*given))

    def _send(self) -> None:
        """Send the configs that are files, and the run's folder if it has one."""
        files = {_sent_as(number, each): Path(each) for number, each in enumerate(self._configs) if is_file(Path(each))}
        if self.folder.path.exists():
            files |= {f"runs/{self.run.name}/{name}": self.folder.path / name for name in listing(self.folder.path)}
        for name, file in files.items():
            with file.open("rb") as content:
                self._call(self._node.write, name, 0, content.read(PIECE))  # also of an empty file
                while piece := content.read(PIECE):
                    self._call(self._node.write, name, content.tell() - len(piece), piece)

    def _words(self) -> list[str]:
        """Return the words of `sandbox` on the node."""
        own = words_of_members(self.config)
        if self.folder.path.exists():
            return ["resume", f"runs/{self.run.name}", "--runs", "runs", *own]
        configs = [_sent_as(number, each) for number, each in enumerate(self._configs)]
        return ["train", *configs, *self.run.words, f"name={self.run.name}", "--runs", "runs", *own]


def _sent_as(number: int, config: str) -> str:
    """Return a config's path on the node, its own for each file; the name of one that is no file stays."""
    return f"configs/{number}/{Path(config).name}" if is_file(Path(config)) else config


@contextmanager
def connected(address: str) -> Iterator[RayCluster]:
    """Connect to a Ray cluster.

    Args:
        address: `HOST:PORT`; or `local` for a cluster of this machine alone, on the loopback interface and without a
            dashboard, which ends with the sweep.

    Raises:
        UserError: If Ray is not installed, or there is no cluster at the address.
    """
    ray = connect("--address ", None if address == LOCAL else address)
    try:
        yield RayCluster(ray)
    finally:
        ray.shutdown()
