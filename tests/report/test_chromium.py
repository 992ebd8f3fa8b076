"""A report in a real browser, without a network; skipped where there is none."""

import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from sandbox.report.build import build_report
from sandbox.report.page import page
from sandbox.report.run_record import RunRecord

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_it_is_rendered(make, video, png, tmp_path):
    runs = [make(f"a_s{n}", [0.0, 0.5, n], seed=n) for n in (0, 1)] + [make("g", [3.0], generator=True, learner="vae")]
    video(runs[0].videos / "step_000000000100.mp4")
    png(runs[2].samples / "step_000000000100.png", side=64)
    place, shot = tmp_path / "report.html", tmp_path / "shot.png"
    place.write_text(page(build_report([RunRecord.read(run) for run in runs], title="All")))
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1000,2400", f"--user-data-dir={tmp_path}/u"]
    words += ["--proxy-server=127.0.0.1:9", f"--screenshot={shot}", place.as_uri()]
    subprocess.run([BROWSER, *words], check=True, capture_output=True, timeout=60)
    pixels = np.asarray(Image.open(shot).convert("RGB")).reshape(-1, 3)
    blue, red = (59, 130, 246), (255, 0, 0)  # of the first curve, and of the sample
    assert (np.abs(pixels - np.array(blue)).max(1) < 12).sum() > 200
    assert (pixels == red).all(1).sum() == 64 * 64


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_the_script_of_the_page_runs_under_its_own_policy(make, tmp_path):
    """Names that would be scripts are not run; without the right hash, the page's own script would not run either."""
    text = page(build_report([RunRecord.read(make("a", [0.0, 0.5]))], title="<script>document.title = 1</script>"))
    place = tmp_path / "report.html"
    place.write_text(text.replace("<body>", "<body><script>document.title = 2</script><p onclick='x'>"))
    words = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/u", "--dump-dom"]
    said = subprocess.run([BROWSER, *words, place.as_uri()], check=True, capture_output=True, text=True, timeout=60)
    assert '<html lang="en" class="live">' in said.stdout
    assert 'aria-sort="none"' in said.stdout
    assert 'class="tip"' in said.stdout
    assert "<title>&lt;script&gt;" in said.stdout
