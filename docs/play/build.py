"""Builds the page that plays an exported policy in the browser: `make docs-play`, or `build.py [POLICY.onnx]`.

Without a policy it trains one (20 seconds). onnxruntime-web comes from npm, as one archive with a known hash; none of
its scripts run here, and none of its dependencies are needed. Nothing of this is part of the documentation's site.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
PLACE = HERE.parents[1] / "dist" / "play"
PAGE = ("index.html", "play.css", "play.mjs", "policy.mjs", "catch.mjs")
PACKAGE = "onnxruntime-web@1.30.0"
HASH = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="  # SHA-512
RUNTIME = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
JSON = ("inputs", "outputs", "actions", "env")  # metadata of a policy that are JSON


def main(policy: Path | None) -> None:
    """Build the page in dist/play."""
    PLACE.mkdir(parents=True, exist_ok=True)
    if not all((PLACE / name).is_file() for name in RUNTIME):
        bring_runtime(PLACE)
    content = (policy or train()).read_bytes()
    about = described(content)
    for name in PAGE:
        shutil.copyfile(HERE / name, PLACE / name)
    (PLACE / "policy.onnx").write_bytes(content)
    (PLACE / "policy.json").write_text(json.dumps(about, indent=1))
    print(f"built {PLACE}")


def bring_runtime(place: Path) -> None:
    """Download onnxruntime-web and unpack the two files that the page needs."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("error: npm is not installed; it brings onnxruntime-web. Install Node.js (https://nodejs.org).")
    with TemporaryDirectory() as folder:
        print(f"downloading {PACKAGE} (33 MB)")
        done = subprocess.run([npm, "pack", PACKAGE, "--silent"], cwd=folder, check=False)
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode or len(archives) != 1:
            sys.exit(f"error: npm could not download {PACKAGE}. Is there a network?")
        digest = base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
        if digest != HASH:
            sys.exit(f"error: {PACKAGE} is not the archive that this page was written for: its hash is {digest}.")
        with tarfile.open(archives[0]) as archive:
            for name in RUNTIME:
                file = archive.extractfile(f"package/dist/{name}")
                assert file is not None, name
                (place / name).write_bytes(file.read())


def train() -> Path:
    """Train DQN on Catch and export it; return the model, which is kept for the next time."""
    runs, model = PLACE / "runs", PLACE / "catch_dqn.onnx"
    if not model.is_file():
        sandbox = [sys.executable, "-m", "sandbox"]
        shutil.rmtree(runs, ignore_errors=True)
        subprocess.run([*sandbox, "train", "catch_dqn", "name=catch_dqn", "logger.wandb=off"], cwd=PLACE, check=True)
        subprocess.run([*sandbox, "export", "catch_dqn", "--onnx", "--out", model.name], cwd=PLACE, check=True)
        shutil.rmtree(runs)
    return model


def described(content: bytes) -> dict[str, Any]:
    """Return the metadata of a policy, after checking that the page can play it."""
    import onnx

    model = onnx.load_from_string(content)
    about: dict[str, Any] = {entry.key: entry.value for entry in model.metadata_props}
    about |= {name: json.loads(about[name]) for name in JSON if name in about}
    if about.get("kind") != "policy" or about["env"]["name"] != "catch" or about["env"]["wrappers"]:
        sys.exit("error: the page plays policies of Catch without wrappers: sandbox export RUN --onnx of such a run.")
    return about


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
