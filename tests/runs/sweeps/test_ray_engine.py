"""The addresses of Ray clusters; `tests/runs/sweeps/test_ray_cluster.py` has a cluster."""

import socket
import sys
import time

import pytest

from sandbox.core.errors import UserError
from sandbox.runs.sweeps.ray_engine import RayCluster, connected


@pytest.mark.parametrize("address", ["ray://1.2.3.4:10001", "1.2.3.4", "auto", "a:b", "a:99999", ""])
def test_what_is_no_address(address):
    with (
        pytest.raises(UserError, match=r": needs HOST:PORT, such as 10\.0\.0\.1:6379$"),
        connected(address),
    ):
        pass


def test_where_no_cluster_is():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    began = time.monotonic()
    with pytest.raises(UserError) as said, connected(address):
        pass
    assert str(said.value) == (
        f"--address {address}: there is no Ray cluster (Connection refused). Start one with "
        "`ray start --head --port 6379` there, or leave the address out to use this machine."
    )
    assert time.monotonic() - began < 6


def test_without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(UserError, match=r"^Ray is not installed: pip install 'rl-sandbox"),
        connected("local"),
    ):
        pass


def test_a_run_that_fits_on_no_node():
    class Ray:
        @staticmethod
        def nodes():
            return [{"Alive": True, "Resources": {"CPU": 2.0}}, {"Alive": False, "Resources": {"CPU": 9.0}}]

    RayCluster(Ray)._require_node(2, 0)
    with pytest.raises(UserError, match=r"^a run needs 3 CPUs and 0 GPUs of one node, and .* have 2 CPUs and 0 GPUs:"):
        RayCluster(Ray)._require_node(3, 0)
    with pytest.raises(UserError, match=r"^a run needs 1 CPUs and 1 GPUs"):
        RayCluster(Ray)._require_node(1, 1)
