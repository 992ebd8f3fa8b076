"""A Ray cluster of a head and two nodes with one CPU each on this machine; a line on standard input kills a node."""

import os
import sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # the loopback interface only

import psutil
from ray.cluster_utils import Cluster

MEMORY = 80 * 2**20  # of each object store, nearly the least that Ray allows


def main() -> None:
    """Print the address, and kill the newest node for each line, with all its processes."""
    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=MEMORY) for _ in range(2)]
    print(cluster.address, flush=True)
    for _ in sys.stdin:
        node = nodes.pop()
        for each in (each for group in node.all_processes.values() for each in group):
            for child in psutil.Process(each.process.pid).children():
                child.kill()
        cluster.remove_node(node, allow_graceful=False)
        print("killed", flush=True)
    cluster.shutdown()


main()
