"""Runs the nodes of a Ray cluster, as told on standard input, line by line, and answers on standard output.

`add N_CORES` answers with the node's number, `kill NUMBER` and `kill_head 0` when it is done. This is a process of its
own, as Ray catches the signals of the process that starts nodes.
"""

import sys
from typing import Any

from ray.cluster_utils import Cluster

OBJECT_STORE_BYTES = 80 * 2**20


def main() -> None:
    head = {"num_cpus": int(sys.argv[1]), "object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes: list[Any] = []
    answer(cluster.address)
    for line in sys.stdin:
        order, number = line.split()
        if order == "add":
            nodes.append(cluster.add_node(num_cpus=int(number), object_store_memory=OBJECT_STORE_BYTES))
            answer(str(len(nodes) - 1))
        elif order == "kill":
            cluster.remove_node(nodes[int(number)], allow_graceful=False)
            answer("killed")
        elif order == "kill_head":
            cluster.head_node.kill_all_processes(check_alive=False, allow_graceful=False)
            answer("killed")
    cluster.shutdown()


def answer(text: str) -> None:
    sys.stdout.write(f"answer {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
