"""A HyperQueue server with two workers of one core each, in a process of its own: `python -m ... SERVER_DIR`.

It ends when its standard input is closed.
"""

import sys

from hyperqueue import LocalCluster
from hyperqueue.cluster import WorkerConfig


def main() -> None:
    """Run the cluster."""
    with LocalCluster(server_dir=sys.argv[1]) as cluster:
        for _ in range(2):
            cluster.start_worker(WorkerConfig(cores=1))
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
