#!/usr/bin/python3
"""Unmodified clients of memcached, pointed at proxies: a program for scenarios.

    through.py KEYS KIND=ADDRESS...

A KIND is `text` (the classic text protocol, by hand), `meta` (the meta protocol), `pylibmc`, or `php`
(ext-memcached, through through.php beside this file); each KIND=ADDRESS is one client with a thread.
The last two take a list as well, ADDRESS,ADDRESS,...: then they choose the server by its ketama ring.
All read and write the same keys, one writer of a key at a time, so of every value that is read it is
known which writes had ended when the read began.  A delete is a write too: what was there before it
is never seen again.  Counters are only counted up; a cas is tried with fresh tokens and with old ones.

Commands on standard input, one a line, each answered with one line on standard output:
  fill [WHO]  every key is set once, while none is at work  -> ok
  go [WHO]    clients at work: those with a `list`, those at a `proxy`, or all  -> ok
  pause       no operation is under way                     -> ok
  verify      every key is read, by those                   -> ok
  report      a flat JSON object
"""
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time

REPLY_S = 5.0
PAUSE_S = 0.0005


class Failed(Exception):
    """The outcome is not known."""


class Text:
    """One connection, dialled when it is needed; one that failed is closed."""

    def __init__(self, address):
        self.host, _, self.port = address.rpartition(":")
        self.file = None

    def ask(self, line, body=None):
        try:
            if self.file is None:
                sock = socket.create_connection((self.host, int(self.port)), REPLY_S)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.file = sock.makefile("rwb")
            self.file.write(line + b"\r\n" + (body + b"\r\n" if body is not None else b""))
            self.file.flush()
            reply = self.file.readline()
            if not reply.endswith(b"\r\n"):
                raise OSError("the connection ended")
            reply, value = reply[:-2], None
            if reply.startswith((b"VALUE ", b"VA ")):
                length = int(reply.split()[3 if reply.startswith(b"VALUE ") else 1])
                value = self.file.read(length + 2)[:-2]
                if reply.startswith(b"VALUE ") and self.file.readline() != b"END\r\n":
                    raise OSError("no END")
        except (OSError, ValueError, IndexError) as error:
            self.file = None
            raise Failed(str(error)) from error
        if b"ERROR" in reply.split(b" ")[0]:
            raise Failed(reply.decode())
        return reply, value

    def get(self, key):
        return self.ask(b"get " + key)[1]

    def gets(self, key):
        reply, value = self.ask(b"gets " + key)
        return value, None if value is None else reply.split()[4]

    def set(self, key, value):
        self.ask(b"set %s 0 0 %d" % (key, len(value)), value)

    def add(self, key, value):
        return self.ask(b"add %s 0 0 %d" % (key, len(value)), value)[0] == b"STORED"

    def cas(self, key, value, token):
        return self.ask(b"cas %s 0 0 %d %s" % (key, len(value), token), value)[0] == b"STORED"

    def delete(self, key):
        self.ask(b"delete " + key)

    def incr(self, key):
        reply = self.ask(b"incr %s 1" % key)[0]
        return int(reply) if reply.isdigit() else None


class Meta(Text):
    def get(self, key):
        return self.ask(b"mg %s v" % key)[1]

    def gets(self, key):
        reply, value = self.ask(b"mg %s v c" % key)
        return value, None if value is None else reply.split()[2][1:]

    def set(self, key, value):
        if self.ask(b"ms %s %d" % (key, len(value)), value)[0] != b"HD":
            raise Failed("ms")

    def add(self, key, value):
        return self.ask(b"ms %s %d ME" % (key, len(value)), value)[0] == b"HD"

    def cas(self, key, value, token):
        return self.ask(b"ms %s %d C%s" % (key, len(value), token), value)[0] == b"HD"

    def delete(self, key):
        self.ask(b"md " + key)

    def incr(self, key):
        value = self.ask(b"ma %s v" % key)[1]
        return int(value) if value is not None else None


class Pylibmc:
    def __init__(self, address):
        import pylibmc

        self.error = pylibmc.Error
        addresses = address.split(",")
        self.client = pylibmc.Client(addresses, behaviors={"ketama_weighted": len(addresses) > 1,
                                                           "receive_timeout": int(REPLY_S * 1000000),
                                                           "send_timeout": int(REPLY_S * 1000000),
                                                           "retry_timeout": 1})

    def run(self, method, *args):
        try:
            return method(*args)
        except self.error as error:
            raise Failed(repr(error)) from error

    @staticmethod
    def bytes_of(value):
        return value if value is None or isinstance(value, bytes) else str(value).encode()

    def get(self, key):
        return self.bytes_of(self.run(self.client.get, key.decode()))

    def gets(self, key):
        return self.get(key), None  # its gets answers another key's value now and then, without a proxy too

    def set(self, key, value):
        if not self.run(self.client.set, key.decode(), value):
            raise Failed("set")

    def add(self, key, value):
        return self.run(self.client.add, key.decode(), value)

    def delete(self, key):
        self.run(self.client.delete, key.decode())

    def incr(self, key):
        try:
            return self.run(self.client.incr, key.decode(), 1)
        except Failed as failed:
            if "NotFound" in str(failed):
                return None
            raise


class Php:
    """A PHP process: a line for each command and for each answer."""

    def __init__(self, address):
        script = os.path.join(os.path.dirname(__file__), "through.php")
        self.process = subprocess.Popen(["php", script, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words):
        self.process.stdin.write(b" ".join(words) + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip(b"\n")
        if answer.startswith(b"failed") or not answer:
            raise Failed(answer.decode())
        return answer

    def get(self, key):
        return self.gets(key)[0]

    def gets(self, key):
        words = self.ask(b"get", key).split(b" ", 2)
        return (words[2], words[1]) if words[0] == b"value" else (None, None)

    def set(self, key, value):
        self.ask(b"set", key, value)

    def add(self, key, value):
        return self.ask(b"add", key, value) == b"stored"

    def cas(self, key, value, token):
        return self.ask(b"cas", key, value, token) == b"stored"

    def delete(self, key):
        self.ask(b"delete", key)

    def incr(self, key):
        answer = self.ask(b"incr", key)
        return int(answer) if answer.isdigit() else None


KINDS = {"text": Text, "meta": Meta, "pylibmc": Pylibmc, "php": Php}


class World:
    """The history of all keys, and what was read against it."""

    def __init__(self, keys):
        self.keys = keys
        self.written = [0] * keys  # the version given out last
        self.done = [0] * keys  # the last whose write had ended
        self.absent = [True] * keys  # it may be missing
        self.touched = [0] * keys  # writes that may have made it so
        self.writing = [threading.Lock() for _ in range(keys)]
        self.count = dict.fromkeys("reads hits stale missed foreign writes sets adds deletes cas cas_wrong incrs "
                                   "failed reads_failed".split(), 0)
        self.lock = threading.Lock()

    def add(self, *names):
        with self.lock:
            for name in names:
                self.count[name] += 1

    @staticmethod
    def name(key):
        return (b"counter:%d" if key % 8 == 0 else b"key:%d") % key

    @classmethod
    def value(cls, key, version):
        return b"%d" % version if key % 8 == 0 else b"%s=%d" % (cls.name(key), version)

    @classmethod
    def version(cls, key, value):
        name, _, number = (cls.name(key) + b"=" + value if key % 8 == 0 else value).partition(b"=")
        return int(number) if name == cls.name(key) and number.isdigit() else None

    def wrong(self, what, text):
        self.add(what)
        print("%.3f %s: %s" % (time.monotonic(), what, text), file=sys.stderr, flush=True)

    def read(self, key, began, value):
        need, absent, touched = began
        self.add("reads")
        if value is None:
            if not (absent or self.absent[key] or self.touched[key] != touched):
                self.wrong("missed", "%s, version %d" % (self.name(key).decode(), need))
            return
        self.add("hits")
        version = self.version(key, value)
        if version is None or version > self.written[key]:
            self.wrong("foreign", "%s is %r" % (self.name(key).decode(), value))
        elif version < need:
            self.wrong("stale", "%s has version %d, %d was written before" % (self.name(key).decode(), version, need))

    def now(self, key):
        return self.done[key], self.absent[key], self.touched[key]


class Client(threading.Thread):
    def __init__(self, world, number, kind, address):
        super().__init__(daemon=True)
        self.world, self.kind, self.address = world, kind, address
        self.random = random.Random(number)
        self.connection = KINDS[kind](address)
        self.old = {}  # tokens: key -> (version then, token)
        self.going, self.resting = threading.Event(), threading.Event()

    def get(self, key):
        began = self.world.now(key)
        try:
            self.world.read(key, began, self.connection.get(World.name(key)))
        except Failed as failed:
            self.failed("reads_failed", key, failed)

    def failed(self, what, key, failed):
        self.world.add(what)
        print("%.3f %s at %s: %s: %s" % (time.monotonic(), self.kind, self.address, World.name(key).decode(), failed),
              file=sys.stderr, flush=True)

    def write(self, key, how):
        world, name = self.world, World.name(key)
        with world.writing[key]:
            version = world.written[key] + 1
            try:
                how(key, name, version, World.value(key, version))
            except Failed as failed:
                world.absent[key] = True
                world.touched[key] += 1
                self.failed("failed", key, failed)

    def ended(self, key, version, absent, *counts):
        self.world.done[key] = version
        self.world.absent[key] = absent
        self.world.add("writes", *counts)

    def set(self, key, name, version, value):
        self.world.written[key] = version
        self.connection.set(name, value)
        self.ended(key, version, False, "sets")

    def add(self, key, name, version, value):
        self.world.written[key] = version
        stored = self.connection.add(name, value)
        if stored:
            self.ended(key, version, False, "adds")
        elif self.world.absent[key]:
            self.set(key, name, version, value)

    def delete(self, key, name, version, value):
        del value
        self.world.written[key] = version
        self.world.absent[key] = True
        self.world.touched[key] += 1
        self.connection.delete(name)
        self.ended(key, version, True, "deletes")

    def cas(self, key, name, version, value):
        found, token = self.connection.gets(name)
        if token is None:
            self.set(key, name, version, value)
            return
        if World.version(key, found) is None or World.version(key, found) < self.world.done[key]:
            self.world.wrong("stale", "%s: gets by %s found %r" % (name.decode(), self.kind, found))
        old = self.old.pop(key, None)
        self.old[key] = (World.version(key, found), token)
        self.world.written[key] = version
        if old and old[0] < self.world.done[key]:
            # Something else was written since: it must not be taken for what the token was given for.
            if self.connection.cas(name, value, old[1]):
                self.world.wrong("cas_wrong", "%s, version %d, by a token of version %d"
                                 % (name.decode(), version, old[0]))
                self.ended(key, version, False)
            return
        if self.connection.cas(name, value, token):
            self.ended(key, version, False, "cas")

    def incr(self, key, name, version, value):
        self.world.written[key] = version
        number = self.connection.incr(name)
        if number is None:
            self.set(key, name, version, value)
            return
        self.world.written[key] = max(version, number)
        if number <= self.world.done[key]:
            self.world.wrong("stale", "%s: incr made %d of %d" % (name.decode(), number, self.world.done[key]))
        self.ended(key, self.world.written[key], False, "incrs")
        if number < version:  # one before it was lost, and may have been counted
            self.set(key, name, version + 1, World.value(key, version + 1))

    def turn(self):
        key, dice = self.random.randrange(self.world.keys), self.random.random()
        if dice < 0.6:
            self.get(key)
        elif key % 8 == 0:
            self.write(key, self.incr)
        elif dice < 0.8:
            self.write(key, self.set)
        elif dice < 0.87:
            self.write(key, self.delete)
        elif dice < 0.94:
            self.write(key, self.add)
        else:
            self.write(key, self.cas)

    def run(self):
        while True:
            if not self.going.is_set():
                self.resting.set()
                self.going.wait()
                self.resting.clear()
            self.turn()
            time.sleep(PAUSE_S)


def main():
    world = World(int(sys.argv[1]))
    clients = [Client(world, number, *word.split("=", 1)) for number, word in enumerate(sys.argv[2:])]
    at_work = clients
    for client in clients:
        client.start()
    for line in sys.stdin:
        command, _, who = line.strip().partition(" ")
        if command in ("fill", "go"):
            at_work = [client for client in clients if not who or ("," in client.address) == (who == "list")]
        if command == "fill":
            for key in range(world.keys):
                at_work[key % len(at_work)].write(key, at_work[key % len(at_work)].set)
        elif command == "go":
            for client in at_work:
                client.resting.clear()
                client.going.set()
        elif command == "pause":
            for client in clients:
                client.going.clear()
            for client in clients:
                client.resting.wait()
        elif command == "verify":
            for key in range(world.keys):
                at_work[key % len(at_work)].get(key)
        answer = json.dumps(world.count, separators=(",", ":")) if command == "report" else "ok"
        print(answer, flush=True)


main()
