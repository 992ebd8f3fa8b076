"""Run folders, videos and images as training leaves them."""

import json

import av
import numpy as np
import pytest
from PIL import Image

from sandbox.storage.run_folder import RunFolder

AGENT = "steps: {steps}\nseed: {seed}\nname: {name}\nenv: {{name: catch, blind: {blind}}}\ndata: null\n" + (
    "agent: {{name: {learner}, discount: {discount}, optimizer: {{lr: {lr}}}}}\ngenerator: null\n"
)
GENERATOR = "steps: {steps}\nseed: {seed}\nname: {name}\nenv: null\ndata: {{name: digits}}\nagent: null\n" + (
    "generator: {{name: {learner}, latent_size: 10}}\n"
)


@pytest.fixture
def make(tmp_path):
    """Make a run folder as training would; `values` are the returns, or losses, in its log."""

    def run(name, values=(), *, learner="dqn", seed=0, steps=None, generator=False, evaluation=None, **options):
        options = {"blind": "false", "discount": 0.99, "lr": 0.001, **options}
        steps = 100 * len(values) if steps is None else steps
        config = (GENERATOR if generator else AGENT).format(
            name=name, seed=seed, steps=steps, learner=learner, **options
        )
        folder = RunFolder.create(tmp_path / "runs", name, config=config, command=["sandbox", "train", name])
        metric = "loss" if generator else "env/return"
        rows = [
            {"step": 100 * (i + 1), "time": 1.5 * (i + 1) + 0.1 * seed, metric: value} for i, value in enumerate(values)
        ]
        folder.metrics.write_text("".join(json.dumps(row) + "\n" for row in rows))
        if evaluation:
            folder.evaluation.write_text(json.dumps(evaluation))
        return folder

    return run


@pytest.fixture
def video():
    def write(path, frames=4):
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=10)
            stream.width = stream.height = 64
            stream.pix_fmt = "yuv420p"
            for i in range(frames):
                frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 50 * i, np.uint8), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

    return write


@pytest.fixture
def png():
    def write(path, side=8):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (side, side), "red").save(path)

    return write
