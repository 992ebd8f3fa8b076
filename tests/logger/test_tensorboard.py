"""The TensorBoard sink."""

import sys

import numpy as np
import pytest
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.logger.tensorboard import TensorBoard


def events(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def test_numbers_and_images_arrive(tmp_path):
    pixels = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    Image.fromarray(pixels).save(tmp_path / "grid.png")
    sink = TensorBoard(tmp_path / "tensorboard")
    sink.write(10, {"env/return": 0.5, "loss": 2.0})
    sink.write(20, {"loss": 1.0})
    sink.media(20, "samples", tmp_path / "grid.png")
    sink.media(20, "video", tmp_path / "video.mp4")
    sink.checkpoint(20, tmp_path)
    sink.close({})

    read = events(tmp_path / "tensorboard")
    assert [(event.step, event.value) for event in read.Scalars("loss")] == [(10, 2.0), (20, 1.0)]
    assert [(event.step, event.value) for event in read.Scalars("env/return")] == [(10, 0.5)]
    (image,) = read.Images("samples")
    (tmp_path / "back.png").write_bytes(image.encoded_image_string)
    with Image.open(tmp_path / "back.png") as back:
        assert np.array_equal(np.asarray(back), pixels)
    (text,) = read.Tensors("video/text_summary")
    assert b"video.mp4" in text.tensor_proto.string_val[0]


def test_a_resumed_run_replaces_what_was_logged_after_its_checkpoint(tmp_path):
    killed = TensorBoard(tmp_path)
    for step in (10, 20, 30):
        killed.write(step, {"loss": float(step)})
    killed.close({})
    resumed = TensorBoard(tmp_path)
    resumed.write(20, {"loss": 0.5})
    resumed.close({})
    assert [(event.step, event.value) for event in events(tmp_path).Scalars("loss")] == [(10, 10.0), (20, 0.5)]


def test_absent_tensorboard_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError) as caught:
        TensorBoard(tmp_path)
    assert str(caught.value) == (
        "logger.tensorboard=true, but TensorBoard is not installed. "
        "Run `pip install 'rl-sandbox[tensorboard]'`, or use logger.tensorboard=false."
    )
