"""load.py SEGMENT...: clients that know what was acknowledged, for a scenario.

Prints `running`, works until the end of its input, then prints `reads N writes N stale N missed N`.
Each key is written by one thread, its value is a growing number, and it is never deleted but by its
writer; every thread reads.  A read is stale when it is older than the last write that had completed
before it began, and missed when that write had stored it.  What failed is told on standard error:
its outcome is unknown, so nothing is held against what follows until the next write completes.
"""
from __future__ import annotations

import random
import sys
import threading
from typing import Dict, List

from mcroster import Roster, RosterClient

KEYS = 60  # of each thread
ROUNDS_OF_READS = 4


class Worker(threading.Thread):
    """Writes its own keys and reads all."""
    workers: List["Worker"] = []
    stop = threading.Event()

    def __init__(self, client: RosterClient, number: int) -> None:
        super().__init__()
        self.client, self.number = client, number
        self.done: Dict[str, int] = {}  # the last version that is complete; 0: deleted
        self.sure: Dict[str, bool] = {}  # and nothing has been under way since it was
        self.reads = self.writes = self.stale = self.missed = 0
        self.random = random.Random(number)

    def write(self, version: int) -> None:
        key = f"load:{self.number}:{self.random.randrange(KEYS)}"
        self.sure[key] = False
        try:
            if self.random.random() < 0.1:
                self.client.delete(key)
                self.done[key] = version
                return
            self.client.set(key, str(version))
        except Exception as error:  # its outcome is unknown
            print(f"{key}: {error!r}", file=sys.stderr)
            return
        self.done[key] = version
        self.sure[key] = True
        self.writes += 1

    def read(self) -> None:
        other = self.random.choice(self.workers)
        keys = self.random.sample(list(other.done), min(5, len(other.done)))
        before = {key: (other.done[key], other.sure.get(key)) for key in keys}
        try:
            found = self.client.get_many(keys) if len(keys) > 1 else {
                key: value for key in keys for value in [self.client.get(key)] if value is not None}
        except Exception as error:
            print(f"{keys}: {error!r}", file=sys.stderr)
            return
        for key in keys:
            self.reads += 1
            version, sure = before[key]
            if key in found and int(found[key]) < version:
                self.stale += 1
                print(f"{key}: stale: {found[key]!r}, {version} was written", file=sys.stderr)
            # What is read by others may be written meanwhile; the writer's own key is not.
            if key not in found and sure and other is self:
                self.missed += 1
                print(f"{key}: missed: {version} was written", file=sys.stderr)

    def run(self) -> None:
        version = 1
        while not self.stop.is_set():
            version += 1
            self.write(version)
            for _ in range(ROUNDS_OF_READS):
                self.read()


def main() -> None:
    clients = [RosterClient(Roster(name)) for name in sys.argv[1:]]
    Worker.workers = [Worker(clients[i % len(clients)], i) for i in range(4)]
    for worker in Worker.workers:
        worker.start()
    print("running", flush=True)
    sys.stdin.read()
    Worker.stop.set()
    for worker in Worker.workers:
        worker.join()
    print(*(f"{name} {sum(getattr(worker, name) for worker in Worker.workers)}"
            for name in ("reads", "writes", "stale", "missed")), flush=True)


if __name__ == "__main__":
    main()
