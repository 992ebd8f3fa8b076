"""The TensorBoard sink."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from sandbox.core.errors import UserError
from sandbox.logger.tensorboard import Codes, TensorBoard, thumbnails


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


class Restless(nn.Module):
    """A layer that draws and changes at every pass."""

    def __init__(self):
        super().__init__()
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x):
        self.passes += 1
        return x + torch.rand(())


class Inside:
    """A restless network, and the codes of four images."""

    def __init__(self, width=3, labels=("one", "two", "two", "one")):
        self.network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), Restless())
        self.width, self.labels = width, labels

    def encoders(self):
        yield self.network, torch.zeros(1, self.width)

    def codes(self):
        codes = torch.arange(8.0).view(4, 2)
        return Codes(codes, torch.rand(4, 1, 5, 5), None if self.labels is None else list(self.labels))


def graph_of(read):
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    return GraphDef.FromString(read._graph)


def test_the_graph_arrives_and_neither_network_nor_random_numbers_change(tmp_path):
    inside = Inside()
    before = {name: value.clone() for name, value in inside.network.state_dict().items()}
    torch.manual_seed(0)
    random = torch.get_rng_state()
    sink = TensorBoard(tmp_path, inside)
    sink.write(10, {"loss": 2.0})
    sink.write(20, {"loss": 1.0})
    sink.close({})
    assert torch.equal(torch.get_rng_state(), random)
    assert inside.network.training
    assert all(torch.equal(value, before[name]) for name, value in inside.network.state_dict().items())
    names = [node.name for node in graph_of(events(tmp_path)).node]
    assert any("Linear" in name for name in names)
    assert any("BatchNorm1d" in name for name in names)


def test_a_network_that_cannot_be_traced_leaves_the_graph_out_in_silence(tmp_path, capfd):
    sink = TensorBoard(tmp_path, Inside(width=7))
    sink.write(10, {"loss": 2.0})
    sink.close({})
    assert capfd.readouterr() == ("", "")
    read = events(tmp_path)
    assert not read.Tags()["graph"]
    assert [event.value for event in read.Scalars("loss")] == [2.0]


@pytest.mark.parametrize("labels", [("one", "two", "two", "one"), None])
def test_embeddings_arrive_at_the_end_with_thumbnails_and_labels(tmp_path, labels):
    sink = TensorBoard(tmp_path, Inside(labels=labels))
    sink.write(10, {"loss": 2.0})
    assert not list(tmp_path.rglob("tensors.tsv"))
    sink.close({"finished": True, "step": 10})
    (codes,) = tmp_path.rglob("tensors.tsv")
    assert codes.parent.relative_to(tmp_path).parts == ("00010", "codes")
    assert np.array_equal(np.loadtxt(codes), np.arange(8.0).reshape(4, 2))
    with Image.open(codes.with_name("sprite.png")) as sprite:
        assert sprite.size == (10, 10)
    metadata = codes.with_name("metadata.tsv")
    assert metadata.read_text().split() == list(labels) if labels else not metadata.exists()
    assert "00010/codes/tensors.tsv" in (tmp_path / "projector_config.pbtxt").read_text()


def test_a_run_that_was_stopped_has_no_embeddings(tmp_path):
    sink = TensorBoard(tmp_path, Inside())
    sink.write(10, {"loss": 2.0})
    sink.close({"finished": False, "step": 10})
    assert not list(tmp_path.rglob("tensors.tsv"))


@pytest.mark.parametrize(
    ("shape", "small"), [((1, 8, 8), (1, 8, 8)), ((4, 84, 84), (1, 64, 64)), ((3, 128, 64), (3, 64, 32))]
)
def test_thumbnails_are_small_and_gray_or_rgb(shape, small):
    made = thumbnails(torch.rand(2, *shape) * 2)
    assert made.shape == (2, *small)
    assert made.max() <= 1
