"""Which runs several processes can share, and the messages for those that they cannot."""

from pathlib import Path

import pytest

from sandbox.core.errors import UserError
from sandbox.core.processes import ALONE, ProcessGroup
from sandbox.runs.build import build
from sandbox.runs.resolve import resolve
from sandbox.runs.sharing import shared_by


def refusal(count: int, *words: str) -> str:
    with pytest.raises(UserError) as caught:
        build(resolve(words[:1], words[1:]), Path("runs"), ProcessGroup(0, count))
    return str(caught.value)


def test_a_count_that_does_not_divide_the_batch_is_refused_with_the_nearest_that_does() -> None:
    assert refusal(3, "catch_dqn") == (
        "3 processes cannot have equal shares of agent.stream.batch_size=32. Start 4 (torchrun --nproc-per-node 4), "
        "or set agent.stream.batch_size=33."
    )


def test_persistent_chains_are_divided_as_well() -> None:
    assert refusal(4, "digits_rbm", "generator.stream.batch_size=64", "generator.learning.chains.count=50") == (
        "4 processes cannot have equal shares of generator.learning.chains.count=50. Start 2 (torchrun "
        "--nproc-per-node 2), or set generator.learning.chains.count=52."
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ["cart_pole_v1_pqn"],
            "pqn cannot be trained by several processes: it does not declare that its batch can be split",
        ),
        (
            ["digits_gan", "generator.regularizers.pack_size=2"],
            "gan cannot be trained by several processes: its discriminator sees 2 images of the batch at once "
            "(regularizers.pack_size)",
        ),
        (
            ["digits_gan", "generator.regularizers.feature_matching=1"],
            "gan cannot be trained by several processes: its loss compares means over the batch "
            "(regularizers.feature_matching)",
        ),
        (
            ["digits_gan", "generator.regularizers.minibatch_discrimination={}"],
            "gan cannot be trained by several processes: its discriminator compares the images of a batch "
            "(regularizers.minibatch_discrimination)",
        ),
        (
            ["digits_vae", "generator.backbone.norm=batch"],
            "vae cannot be trained by several processes: its batch norms need the statistics of whole batches",
        ),
        (
            ["digits_vae", "generator.backbone.dropout=0.5"],
            "vae cannot be trained by several processes: its dropout draws random numbers for whole batches",
        ),
    ],
)
def test_members_that_need_whole_batches_are_refused_by_name(words: list[str], reason: str) -> None:
    assert refusal(2, *words) == (
        f"{reason}. Start it without torchrun; several seeds run side by side with `sandbox sweep`."
    )


def test_gradients_are_reduced_as_the_loss_is() -> None:
    for name, reduction in (("catch_dqn", "sum"), ("digits_vae", "mean"), ("digits_rbm", "mean")):
        shared = shared_by(ProcessGroup(0, 2), resolve([name], []))
        assert isinstance(shared, ProcessGroup)
        assert shared.reduction == reduction


def test_one_process_shares_nothing() -> None:
    assert shared_by(ALONE, resolve(["cart_pole_v1_pqn"], [])) is ALONE
