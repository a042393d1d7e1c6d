#!/usr/bin/env python3
"""Stock clients that know nothing of phases: a program for scenarios.

    unaware.py MCADMIN CONTROL-SOCKET POLL_MS KEYS CLIENTS

Each client takes the servers from `mcadmin show --unaware` every POLL_MS milliseconds, makes
libketama's ring of them and sends each key to its one owner there: get, set, delete, nothing else.
It begins no operation by a list that is older than that.  Each key is written by one client and read
by all, so of every value that is read it is known which writes had ended when the read began.

Commands on standard input, one a line, each answered with one line:
  begun    the change begins: what is written now is never to be older again       -> ok
  closed   the stated window is over                                               -> ok
  pause    no operation is under way                                               -> ok
  go                                                                               -> ok
  verify   every key is read by every client                                       -> ok
  report   a flat JSON object
"""
import bisect
import hashlib
import json
import random
import socket
import subprocess
import sys
import threading
import time

OP_TIMEOUT_S = 1.0


def ring_of(addresses):
    """libketama's continuum of servers with equal weights."""
    points = []
    for address in addresses:
        for number in range(40):
            digest = hashlib.md5(b"%s-%d" % (address.encode(), number)).digest()
            points += [(int.from_bytes(digest[4 * i : 4 * i + 4], "little"), address) for i in range(4)]
    return sorted(points)


class Server:
    """One connection, dialled when it is needed; one that failed is closed."""

    def __init__(self, address):
        self.host, _, self.port = address.rpartition(":")
        self.file = None

    def ask(self, line, body=None):
        try:
            if self.file is None:
                sock = socket.create_connection((self.host, int(self.port)), OP_TIMEOUT_S)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.file = sock.makefile("rwb")
            self.file.write(line + b"\r\n" + (body + b"\r\n" if body is not None else b""))
            self.file.flush()
            reply = self.file.readline().rstrip()
            if reply.startswith(b"VALUE "):
                value = self.file.read(int(reply.split()[3]) + 2)[:-2]
                reply = self.file.readline().rstrip()
                return value if reply == b"END" else None
            if not reply:
                raise OSError("the connection ended")
            return reply
        except OSError:
            self.file = None
            raise


class World:
    """The history of all keys, and what was read against it."""

    def __init__(self, keys):
        self.written = [0] * keys  # the version given out last
        self.done = [0] * keys  # ... the last whose write had ended
        self.base = None  # done, when the change began
        self.adopted = None  # when the first client took the next list
        self.closed = None
        self.count = dict.fromkeys(
            "reads hits writes deletes failed stubs foreign early_stale window_stale late_stale ancient polls "
            "adopted".split(), 0)
        self.oldest_ms = 0
        self.lock = threading.Lock()

    def add(self, name):
        with self.lock:
            self.count[name] += 1

    def read(self, key, began, need, value):
        self.add("reads")
        if value == b"END":
            return
        self.add("hits")
        if value == b"":
            self.add("stubs")
            print("key:%d has an empty value" % key, file=sys.stderr)
            return
        name, _, rest = value.partition(b"=")
        version = rest.partition(b" ")[0]
        if name != b"key:%d" % key or not version.isdigit():
            self.add("foreign")
            return
        version = int(version)
        if version >= need:
            return
        if self.adopted is None or began < self.adopted:
            self.add("early_stale")
        elif self.closed is None or began < self.closed:
            self.add("window_stale")
        else:
            self.add("late_stale")
            print("key:%d has version %d after the window, %d was written before" % (key, version, need),
                  file=sys.stderr)
        if self.base is not None and version < self.base[key]:
            self.add("ancient")


class Client(threading.Thread):
    def __init__(self, world, number, options):
        super().__init__(daemon=True)
        self.world, self.number, self.options = world, number, options
        self.random = random.Random(number)
        self.servers, self.epoch, self.polled = {}, None, 0.0
        self.going, self.resting = threading.Event(), threading.Event()
        self.poll()

    def poll(self):
        began = time.monotonic()
        text = subprocess.run([self.options.mcadmin, "show", "--unaware", "--raw", "--agent", self.options.socket],
                              capture_output=True, check=True, timeout=20).stdout.decode()
        lines = [line.split() for line in text.splitlines()]
        addresses = [words[2] for words in lines if words[0] == "server"]
        epoch = next(words[1] for words in lines if words[0] == "epoch")
        self.world.add("polls")
        if epoch != self.epoch:
            ring = ring_of(addresses)
            self.points, self.owners = [p[0] for p in ring], [p[1] for p in ring]
            self.servers = {a: self.servers.get(a) or Server(a) for a in addresses}
            if self.epoch is not None:
                self.world.adopted = self.world.adopted or time.monotonic()
                self.world.add("adopted")
            self.epoch = epoch
        self.polled = began

    def owner(self, key):
        point = int.from_bytes(hashlib.md5(b"key:%d" % key).digest()[:4], "little")
        return self.servers[self.owners[bisect.bisect_left(self.points, point) % len(self.points)]]

    def get(self, key):
        began, need = time.monotonic(), self.world.done[key]
        try:
            self.world.read(key, began, need, self.owner(key).ask(b"get key:%d" % key))
        except OSError:
            self.world.add("failed")

    def write(self, key):
        world = self.world
        world.written[key] += 1
        version = world.written[key]
        try:
            if self.random.random() < 0.4:
                reply = self.owner(key).ask(b"delete key:%d" % key)
                world.add("deletes")
            else:
                value = b"key:%d=%d " % (key, version) + b"." * 60
                reply = self.owner(key).ask(b"set key:%d 0 0 %d" % (key, len(value)), value)
                world.add("writes")
            if reply in (b"STORED", b"DELETED", b"NOT_FOUND"):
                world.done[key] = version
                return
        except OSError:
            pass
        world.add("failed")

    def step(self):
        if time.monotonic() - self.polled >= self.options.poll_s:
            self.poll()
        key = self.random.randrange(self.options.keys)
        if self.random.random() < 0.4 and key % self.options.clients == self.number:
            self.write(key)
        else:
            self.get(key)

    def verify(self):
        self.poll()
        for key in range(self.options.keys):
            self.get(key)

    def run(self):
        while True:
            if not self.going.is_set():
                self.resting.set()
                self.going.wait()
            self.step()


class Options:
    def __init__(self, words):
        self.mcadmin, self.socket = words[0], words[1]
        self.poll_s = int(words[2]) / 1000
        self.keys, self.clients = int(words[3]), int(words[4])


def main():
    options = Options(sys.argv[1:])
    world = World(options.keys)
    clients = [Client(world, number, options) for number in range(options.clients)]
    for client in clients:
        client.start()
    for line in sys.stdin:
        command, answer = line.strip(), "ok"
        if command == "begun":
            world.base, world.adopted, world.closed = list(world.done), None, None
        elif command == "closed":
            world.closed = time.monotonic()
        elif command == "go":
            for client in clients:
                client.resting.clear()
                client.going.set()
        elif command in ("pause", "verify"):
            for client in clients:
                client.going.clear()
            for client in clients:
                client.resting.wait()
            if command == "verify":
                for client in clients:
                    client.verify()
        elif command == "report":
            answer = json.dumps(world.count, separators=(",", ":"))
        else:
            answer = "what?"
        print(answer, flush=True)


main()
