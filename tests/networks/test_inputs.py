import torch
from torch import nn

from sandbox.networks.inputs import as_float, in_fp32


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
