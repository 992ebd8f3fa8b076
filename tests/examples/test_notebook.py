"""The notebook, executed from start to end at tiny sizes, and the script."""

import base64
import io
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"
TINY = {
    '"seed": 1,': '"seed": 1, "steps": 1_000, "log_period": 100,',
    '"digits_vae", {': '"digits_vae", {"steps": 100, ',
}


@pytest.mark.learning
@pytest.mark.filterwarnings("ignore")  # of the kernel's own libraries
def test_the_notebook_runs_and_shows_itself(tmp_path: Path) -> None:
    notebook = nbformat.read(EXAMPLES / "first_steps.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # it is stored without its output
    for cell in notebook.cells:
        for long, short in TINY.items():
            cell.source = cell.source.replace(long, short)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not any(output.output_type == "error" for output in shown)
    images = [output.data["image/png"] for output in shown if "image/png" in output.get("data", {})]
    sizes = [Image.open(io.BytesIO(base64.b64decode(image))).size for image in images]
    assert len(sizes) == 2  # the curves and the samples
    assert sizes[0] == (600, 400)
    assert any("data:video/mp4;base64," in output.get("data", {}).get("text/html", "") for output in shown)
    said = "".join(output.text for output in shown if output.output_type == "stream")
    assert "step=1000/1000" in said  # the progress
    assert "acts on an observation of shape (1, 84, 84), or on N of them; got (84, 84)" in said


@pytest.mark.learning
def test_the_script_trains_and_compares(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "train_from_python.py", "600"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "catch_double_dqn: " in done.stdout
    assert len(list((tmp_path / "runs").glob("*/videos/step_*_seed_0.mp4"))) == 1
