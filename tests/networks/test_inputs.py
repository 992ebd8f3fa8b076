"""Conversions at the input and the output of networks."""

import pytest
import torch
from torch import nn

from sandbox.core.errors import UserError
from sandbox.networks.inputs import as_float, as_pixels, in_fp32


def test_bytes_come_out_as_they_did_in_one_step_and_channels_last():
    bytes_ = torch.randint(256, (5, 4, 9, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    floats = bytes_.float() / 255
    assert torch.equal(as_float(bytes_), floats)
    assert as_float(bytes_).is_contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(as_float(bytes_), floats.bfloat16())
    assert torch.equal(as_float(bytes_[:, 0, 0]), floats[:, 0, 0])


def test_the_last_layer_keeps_what_bfloat16_would_round_away():
    head = nn.Linear(2, 2)
    with torch.no_grad():
        head.weight.copy_(torch.eye(2)), head.bias.copy_(torch.tensor([2.0, 2.004]))
    features = torch.zeros(1, 2, dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        a, b = head(features)[0].tolist()
        assert a == b
        values = in_fp32(head, features)
    assert values.dtype == torch.float32
    assert torch.equal(values[0], torch.tensor([2.0, 2.004]))


def test_pixels_are_bytes_or_floats_from_0_to_1(cpu):
    bytes_ = torch.tensor([[0, 51, 255]], dtype=torch.uint8)
    with torch.autocast("cpu", torch.bfloat16):
        assert as_pixels(bytes_, cpu).dtype == torch.float32
    torch.testing.assert_close(as_pixels(bytes_, cpu), torch.tensor([[0.0, 0.2, 1.0]]))
    assert torch.equal(as_pixels(torch.tensor([0.0, 1.0]), cpu), torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [([-1.5, 1.0], "-1.5", "1"), ([0.0, 255.0], "0", "255"), ([float("nan"), 0.5], "nan", "nan")],
)
def test_other_floats_are_refused(cpu, values, low, high):
    with pytest.raises(UserError) as refused:
        as_pixels(torch.tensor(values), cpu)
    assert str(refused.value) == (
        f"images must be bytes or floats in [0, 1], but these are floats from {low} to {high}. "
        "Scale them to [0, 1] first; for bytes that were converted to floats, divide by 255."
    )
