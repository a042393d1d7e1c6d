#!/usr/bin/python3
"""Unmodified clients of memcached, pointed at proxies: a program for scenarios.

    through.py KEYS KIND=ADDRESS...

A KIND is `text` (the classic text protocol, by hand), `meta` (the meta protocol), `pylibmc`, or `php`
(ext-memcached, through through.php beside this file); each KIND=ADDRESS is one client with a thread.
The last two take a list as well, ADDRESS,ADDRESS,...: then they choose the server by its ketama ring.
All read and write the same keys, one writer of a key at a time, so of every value that is read it is
known which writes had ended when the read began.  A delete is a write too: what was there before it
is never seen again.  Counters are only counted up; a cas is tried with fresh tokens and with old ones.

A key is missed when it is not found although its last write had ended well and no other overlapped the
read.  A cas that finds nothing counts apart, as `cas_lost`: while a key moves it has a delete beside it, and
a mover may be replacing what is at the new owner in that moment.  In doubt is a key of which a write failed
that may have been sent: an agent or the server may still carry it out, also after later writes, until
nothing is owed any more.  A write that was never sent, as the proxy was down, changes nothing.

Commands on standard input, one a line, each answered with one line on standard output:
  fill [WHO]  every key is set once, while none is at work  -> ok
  go [WHO]    clients at work: those with a `list`, those at a `proxy`, or all  -> ok
  pause       no operation is under way                     -> ok
  settle      nothing is owed: what is in doubt may be gone, and stays as it is  -> ok
  verify      every key is read, by those                   -> ok
  report      a flat JSON object
"""
import collections
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
REMEMBERED = 16  # of what was done to a key, to be told when it is wrong
NOT_CONNECTED = "is not connected yet"  # what a proxy says of a write of which it has sent nothing
DOWN = ("DISABLED UNTIL TIMED RETRY", "ServerDown", "Connection refused")  # of libmemcached while it does not try


class Failed(Exception):
    """The outcome is not known."""


class Unsent(Failed):
    """Nothing was sent to a server."""


class Text:
    """One connection, dialled when it is needed; one that failed is closed."""

    def __init__(self, address):
        self.host, _, self.port = address.rpartition(":")
        self.file = None

    def ask(self, line, body=None):
        try:
            if self.file is None:
                try:
                    sock = socket.create_connection((self.host, int(self.port)), REPLY_S)
                except OSError as error:
                    raise Unsent(str(error)) from error
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
            raise (Unsent if NOT_CONNECTED in reply.decode() else Failed)(reply.decode())
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
        """True: stored.  None: there is nothing of that name."""
        return {b"STORED": True, b"NOT_FOUND": None}.get(
            self.ask(b"cas %s 0 0 %d %s" % (key, len(value), token), value)[0], False)

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
        return {b"HD": True, b"NF": None}.get(self.ask(b"ms %s %d C%s" % (key, len(value), token), value)[0], False)

    def delete(self, key):
        self.ask(b"md " + key)

    def incr(self, key):
        value = self.ask(b"ma %s v" % key)[1]
        return int(value) if value is not None else None


class Libmemcached:
    """Only of an operation after one that has failed it is known that it was not sent."""

    def __init__(self):
        self.up = True

    def failure(self, text):
        unsent = NOT_CONNECTED in text or not self.up and any(words in text for words in DOWN)
        self.up = False
        return (Unsent if unsent else Failed)(text)


class Pylibmc(Libmemcached):
    def __init__(self, address):
        import pylibmc

        super().__init__()
        self.error, self.not_found = pylibmc.Error, pylibmc.NotFound
        addresses = address.split(",")
        self.client = pylibmc.Client(addresses, behaviors={"ketama_weighted": len(addresses) > 1,
                                                           "receive_timeout": int(REPLY_S * 1000000),
                                                           "send_timeout": int(REPLY_S * 1000000),
                                                           "retry_timeout": 1})

    def run(self, method, *args):
        try:
            answer = method(*args)
        except self.not_found:
            answer = None
        except self.error as error:
            raise self.failure(repr(error)) from error
        self.up = True
        return answer

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
        return self.run(self.client.incr, key.decode(), 1)


class Php(Libmemcached):
    """A PHP process: a line for each command and for each answer."""

    def __init__(self, address):
        super().__init__()
        script = os.path.join(os.path.dirname(__file__), "through.php")
        self.process = subprocess.Popen(["php", script, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words):
        self.process.stdin.write(b" ".join(words) + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip(b"\n")
        if answer.startswith(b"failed") or not answer:
            raise self.failure(answer.decode())
        self.up = True
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
        return {b"stored": True, b"not found": None}.get(self.ask(b"cas", key, value, token), False)

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
        self.doubtful = [False] * keys
        self.activity = [0] * keys  # odd: a write is under way
        self.last = [collections.deque(maxlen=REMEMBERED) for _ in range(keys)]
        self.writing = [threading.Lock() for _ in range(keys)]
        self.count = dict.fromkeys("reads hits stale missed foreign writes sets adds deletes cas cas_wrong "
                                   "cas_lost incrs updates_missed failed unsent reads_failed".split(), 0)
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

    def note(self, key, text):
        self.last[key].append("%.3f %s" % (time.monotonic(), text))

    def wrong(self, what, key, text):
        self.add(what)
        first = "%.3f %s: %s: %s" % (time.monotonic(), what, self.name(key).decode(), text)
        sys.stderr.write("\n\t".join([first, *self.last[key]]) + "\n")

    def certain(self, key):
        return not (self.absent[key] or self.doubtful[key])

    def now(self, key):
        """What a read that begins has to find, and the activity in which it must be found."""
        activity = self.activity[key]
        return self.done[key], activity if activity % 2 == 0 and self.certain(key) else None

    def read(self, key, began, value):
        need, activity = began
        self.add("reads")
        if value is None:
            if activity is not None and activity == self.activity[key]:
                self.wrong("missed", key, "version %d" % need)
            return
        self.add("hits")
        version = self.version(key, value)
        if version is None or version > self.written[key]:
            self.wrong("foreign", key, "it is %r" % value)
        elif version < need:
            self.wrong("stale", key, "version %d, %d was written before" % (version, need))

    def found_nothing(self, key, what, count="missed"):
        """What a write, alone as it is, was told."""
        if self.certain(key):
            self.wrong(count, key, "%s finds nothing" % what)
        self.absent[key] = True

    def settle(self):
        for key in range(self.keys):
            self.absent[key] |= self.doubtful[key]
            self.doubtful[key] = False


class Client(threading.Thread):
    def __init__(self, world, number, kind, address):
        super().__init__(daemon=True)
        self.world, self.who, self.address = world, "%s at %s" % (kind, address), address
        self.random = random.Random(number)
        self.connection = KINDS[kind](address)
        self.old = {}  # tokens: key -> (version then, token)
        self.going, self.resting = threading.Event(), threading.Event()

    def get(self, key):
        began = self.world.now(key)
        try:
            value = self.connection.get(World.name(key))
        except Failed as failed:
            self.failed("reads_failed", key, failed)
            return
        self.world.note(key, "%s read %r" % (self.who, value))
        self.world.read(key, began, value)

    def failed(self, what, key, failed):
        self.world.add(what)
        sys.stderr.write("%.3f %s: %s: %s\n" % (time.monotonic(), self.who, World.name(key).decode(), failed))

    def write(self, key, how):
        world, name = self.world, World.name(key)
        with world.writing[key]:
            version = world.written[key] + 1
            world.activity[key] += 1
            world.note(key, "%s begins %s of version %d" % (self.who, how.__name__, version))
            try:
                how(key, name, version, World.value(key, version))
                world.note(key, "%s has ended it" % self.who)
            except Failed as failed:
                unsent = isinstance(failed, Unsent)
                if not unsent:
                    world.absent[key] = world.doubtful[key] = True
                world.note(key, "%s has failed: %s" % (self.who, failed))
                self.failed("unsent" if unsent else "failed", key, failed)
            world.activity[key] += 1

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
            self.world.found_nothing(key, "add")
            self.ended(key, version, False, "adds")
        elif self.world.absent[key]:
            self.set(key, name, version, value)

    def delete(self, key, name, version, value):
        del value
        self.world.written[key] = version
        self.connection.delete(name)
        self.ended(key, version, True, "deletes")

    def cas(self, key, name, version, value):
        found, token = self.connection.gets(name)
        if found is None:
            self.world.found_nothing(key, "gets")
        if token is None:
            self.set(key, name, version, value)
            return
        if World.version(key, found) is None or World.version(key, found) < self.world.done[key]:
            self.world.wrong("stale", key, "gets by %s found %r" % (self.who, found))
        old = self.old.pop(key, None)
        self.old[key] = (World.version(key, found), token)
        self.world.written[key] = version
        if old and old[0] < self.world.done[key]:
            # Something else was written since: it must not be taken for what the token was given for.
            stored = self.connection.cas(name, value, old[1])
            if stored:
                self.world.wrong("cas_wrong", key, "version %d, by a token of version %d" % (version, old[0]))
                self.ended(key, version, False)
        else:
            stored = self.connection.cas(name, value, token)
            if stored:
                self.ended(key, version, False, "cas")
        if stored is None:
            self.world.found_nothing(key, "cas", "cas_lost")

    def incr(self, key, name, version, value):
        self.world.written[key] = version
        number = self.connection.incr(name)
        if number is None:
            # Of a key that has not got across yet that is its right.
            if self.world.certain(key):
                self.world.add("updates_missed")
            self.world.absent[key] = True
            self.set(key, name, version, value)
            return
        self.world.written[key] = max(version, number)
        if number <= self.world.done[key]:
            self.world.wrong("stale", key, "incr made %d of %d" % (number, self.world.done[key]))
        self.ended(key, number, False, "incrs")
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
        elif command == "settle":
            world.settle()
        elif command == "verify":
            for key in range(world.keys):
                at_work[key % len(at_work)].get(key)
        answer = json.dumps(world.count, separators=(",", ":")) if command == "report" else "ok"
        print(answer, flush=True)


main()
