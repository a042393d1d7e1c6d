#!/usr/bin/python3
"""A proxy with mcroster's routes, in every phase and with whatever can be wrong about it.

    phases.py [TEST...]

Each test has a segment of its own, written by hand (bindings/python/tests/world.py), of which half of the
keys move from one real memcached to another, a third memcached to compare with, and a proxy: the stand-in
in plain Lua, or memcached's own, where PROXY_REAL says so and MEMCACHED_PROXY names it.
"""
import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "bindings", "python", "tests"))
import compare  # noqa: E402
from world import FOR_EVER, Agent, Memcached, Played, Segment, free_socket  # noqa: E402

REAL = bool(os.environ.get("PROXY_REAL"))
MOVING = ["PREPARE", "COPY", "SWITCH", "SETTLE", "DRAIN", "GIVEUP", "UNWIND"]
AT_OLD = ["STEADY", "PREPARE", "COPY", "UNWIND"]  # where an update goes to the old owner
LATE = ["SETTLE", "DRAIN", "GIVEUP"]  # where append and prepend are refused
WAIT_S = 30
CONFIG = """local mcroster = require "mcroster"
%s
function mcp_config_pools() return mcroster.pools %s end
function mcp_config_routes(config) mcroster.routes(config) end
"""


def wait_for(condition, what):
    end = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain: " + what)
        time.sleep(0.01)


class Proxy:
    def __init__(self, options, before="", environment=None, threads=2):
        self.directory = tempfile.mkdtemp()
        self.path = os.path.join(self.directory, "proxy.lua")
        self.write(CONFIG % (before, options))
        with free_socket() as listening:
            self.port = listening.getsockname()[1]
        address = ["127.0.0.1", str(self.port)]
        if REAL:
            command = [os.environ["MEMCACHED_PROXY"], "-l", address[0], "-p", address[1], "-U", "0",
                       "-t", str(threads), "-o", "proxy_config=" + self.path] + (["-u", "root"] if os.getuid() == 0 else [])
        else:
            command = ["lua5.4", os.path.join(HERE, "standin.lua"), self.path] + address
        self.process = subprocess.Popen(command, env=dict(os.environ, **(environment or {})))
        self.address = ":".join(address)
        self.side = None
        wait_for(self.listens, "the proxy")

    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError("the proxy has ended with %d" % self.process.returncode)
        try:
            self.side = compare.Side(self.address)
            return True
        except OSError:
            return False

    def ask(self, text):
        """What it answers to these commands."""
        return self.side.ask(text.encode() if isinstance(text, str) else text).decode()

    def stat(self, name):
        found = re.search(r"^STAT user_mcroster_%s (\d+)" % name, self.ask("stats proxy\r\n"), re.M)
        return int(found.group(1)) if found else None

    def close(self):
        self.side.file.close()
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory)


class World(unittest.TestCase):
    def setUp(self):
        self.segment = Segment(2000)
        self.addCleanup(lambda: self.segment.close())
        self.o, self.n, self.other = Memcached(), Memcached(), Memcached()
        for server in (self.o, self.n, self.other):
            self.addCleanup(server.close)
        self.addresses = [self.o.address, self.n.address]
        self.publish("STEADY")

    def publish(self, phase, **options):
        self.segment.publish(phase, self.addresses, **options)

    def start(self, options=None, before="", threads=2, **environment):
        if options is None:
            options = '{ cluster = "%s"%s }' % (self.segment.name, "" if REAL else ", wait_ms = 0")
        proxy = Proxy(options, before, environment, threads)
        self.addCleanup(proxy.close)
        return proxy

    def moving(self, proxy, forms=("key:%d",), count=4):
        """Keys that move, and as many that do not."""
        self.publish("SWITCH")
        moving, staying = [], []
        number = 0
        while len(moving) < count or len(staying) < count:
            key = forms[number % len(forms)] % number
            self.assertEqual(proxy.ask("set %s 0 0 1\r\nx\r\n" % key), "STORED\r\n")
            (staying if self.n.at(key.encode()) is None else moving).append(key)
            proxy.ask("delete %s\r\n" % key)
            number += 1
        self.publish("STEADY")
        return moving[:count], staying[:count]


class Phases(World):
    def test_answers_are_a_memcacheds_in_every_phase(self):
        proxy = self.start()
        moving, staying = self.moving(proxy)
        keys = [key.encode() for key in moving + staying[:1]]
        for number, phase in enumerate(["STEADY"] + MOVING + ["STEADY"]):
            self.publish(phase)
            wait_for(lambda: proxy.ask("get none\r\n") == "END\r\n", "an answer")
            rule = compare.Rule(keys, moving=phase != "STEADY", appends=phase not in LATE)
            with self.subTest(phase=phase):
                compare.compare(proxy.address, self.other.address, number, 250, rule)
            self.assertEqual(proxy.stat("epoch"), 41)
            self.assertEqual(proxy.stat("failed"), 0)

    def test_append_is_refused_where_it_could_damage_a_reservation(self):
        proxy = self.start()
        (key, *_), _ = self.moving(proxy)
        for phase in LATE:
            for command, answer in (("append %s 0 0 1\r\ny\r\n", "NOT_STORED\r\n"),
                                    ("prepend %s 0 0 1\r\ny\r\n", "NOT_STORED\r\n"),
                                    ("append %s 0 0 1 noreply\r\ny\r\n", ""),
                                    ("ms %s 1 MA O7 k\r\ny\r\n", "NS O7 k%s\r\n" % key),
                                    ("ms %s 1 MP q\r\ny\r\n", "NS\r\n")):
                with self.subTest(phase=phase, command=command):
                    self.publish(phase)
                    proxy.ask("set %s 0 0 1\r\nx\r\n" % key)
                    self.assertEqual(proxy.ask(command % key), answer)
                    self.assertEqual(proxy.ask("get %s\r\n" % key), "END\r\n")
                    self.publish("STEADY")

    def test_no_command_sees_a_reservation(self):
        proxy = self.start()
        (key, *_), _ = self.moving(proxy)
        found = [("get", "VALUE %s 5 1\r\n4\r\nEND\r\n" % key), ("gat 9", "VALUE %s 5 1\r\n4\r\nEND\r\n" % key),
                 ("mg", "HD\r\n"), ("mg v", "VA 1\r\n4\r\n"), ("mg f", "HD f5\r\n"), ("mg s", "HD s1\r\n"),
                 ("mg k O1 q", "HD k%s O1\r\n" % key), ("mg v k s", "VA 1 k%s s1\r\n4\r\n" % key),
                 ("mg N9 f", "HD f5\r\n"), ("mg T9", "HD\r\n"), ("mg R9 v", "VA 1\r\n4\r\n"), ("touch", "TOUCHED\r\n"),
                 ("touch noreply", ""), ("add", "NOT_STORED\r\n"), ("add noreply", ""), ("ms ME", "NS\r\n"),
                 ("ms ME O1", "NS O1\r\n"), ("incr", "NOT_FOUND\r\n"), ("incr noreply", ""), ("ma", "NF\r\n"),
                 ("ma N9 O1", "NF O1\r\n"), ("md C1", "EX\r\n"), ("get", "VALUE %s 5 1\r\n4\r\nEND\r\n" % key)]
        missed = [("get", "END\r\n"), ("gat 9", "END\r\n"), ("mg", "EN\r\n"), ("mg v", "EN\r\n"), ("mg k q", ""),
                  ("mg N9 f", "EN\r\n"), ("touch", "NOT_FOUND\r\n"), ("touch noreply", ""), ("incr", "NOT_FOUND\r\n"),
                  ("decr noreply", ""), ("ma q", "NF\r\n"), ("get", "END\r\n")]
        forms = {"gat": "gat %(flags)s %(key)s\r\n", "touch": "touch %(key)s 9 %(flags)s\r\n",
                 "add": "add %(key)s 0 0 1 %(flags)s\r\nx\r\n", "ms": "ms %(key)s 1 %(flags)s\r\nx\r\n",
                 "incr": "incr %(key)s 1 %(flags)s\r\n",
                 "decr": "decr %(key)s 1 %(flags)s\r\n"}
        for phase in ("SWITCH", "SETTLE", "DRAIN"):
            for at_o, answers in (("4", found), (None, missed)):
                self.publish(phase)
                for text, answer in answers:
                    name, _, flags = text.partition(" ")
                    command = forms.get(name, "%(name)s %(key)s %(flags)s\r\n") % {
                        "name": name, "key": key, "flags": flags}
                    for server in (self.o, self.n):
                        server.ask(b"delete %s\r\n" % key.encode())
                    if at_o:
                        self.o.ask(b"set %s 5 0 1\r\n4\r\n" % key.encode())
                    self.n.ask(b"mg %s N30\r\n" % key.encode())
                    with self.subTest(phase=phase, command=command, at_o=at_o):
                        self.assertEqual(proxy.ask(re.sub(" +\r\n", "\r\n", command)), answer)

    def test_a_write_is_where_its_phase_wants_it_and_nowhere_else(self):
        proxy = self.start()
        (key, *_), _ = self.moving(proxy)
        name = key.encode()
        commands = ["set %s 0 0 1\r\n7\r\n", "add %s 0 0 1\r\n7\r\n", "ms %s 1\r\n7\r\n", "ms %s 1 ME\r\n7\r\n",
                    "ms %s 1 q\r\n7\r\n", "set %s 0 0 1 noreply\r\n7\r\n"]
        deletes = ["delete %s\r\n", "delete %s noreply\r\n", "md %s\r\n", "md %s q\r\n", "md %s I T30\r\n", "md %s x\r\n"]
        for phase in MOVING:
            self.publish(phase)
            for command in commands:
                with self.subTest(phase=phase, command=command):
                    self.o.put(name, None)
                    self.n.put(name, None)
                    proxy.ask(command % key)
                    at_o = b"7" if phase in AT_OLD else None
                    self.assertEqual((self.o.at(name), self.n.at(name)), (at_o, None if at_o else b"7"))
            for command in deletes:
                with self.subTest(phase=phase, command=command):
                    self.o.put(name, b"1")
                    self.n.put(name, b"1")
                    proxy.ask(command % key)
                    self.assertEqual((self.o.at(name), self.n.at(name)), (None, None))

    def test_flags_and_tokens_are_the_keys_own_when_replies_come_together(self):
        proxy = self.start()
        moving, staying = self.moving(proxy, count=30)
        for phase in ("STEADY", "COPY"):
            self.publish(phase)
            with self.subTest(phase=phase):
                for number, key in enumerate(moving + staying):
                    proxy.ask("set %s %d 0 %d\r\n%s\r\n" % (key, number, number % 7, "x" * (number % 7)))
                answer = proxy.ask("".join("mg %s k f O%d c\r\n" % (key, number)
                                           for number, key in enumerate(moving + staying)))
                tokens = []
                for number, (key, line) in enumerate(zip(moving + staying, answer.splitlines())):
                    self.assertRegex(line, r"^HD k%s f%d O%d c\d+$" % (key, number, number))
                    tokens.append(line.rpartition("c")[2])
                answer = proxy.ask("".join("ms %s 1 C%s\r\nx\r\n" % (key, token)
                                           for key, token in zip(moving + staying, tokens)))
                self.assertEqual(answer, "HD\r\n" * 60)
                answer = proxy.ask("".join("touch %s 0\r\nadd %s 0 0 1\r\ny\r\n" % (key, key) for key in moving))
                self.assertEqual(answer, "TOUCHED\r\nNOT_STORED\r\n" * 30)

    def test_a_token_holds_at_the_server_that_gave_it(self):
        proxy = self.start()
        (key, *_), _ = self.moving(proxy)
        name = key.encode()
        self.publish("COPY")
        tokens = [0, 1]
        while tokens[0] != tokens[1]:  # until the other server gives the same number
            (self.o, self.n)[tokens[0] > tokens[1]].put(name, b"x")
            tokens = [int((server.ask(b"gets %s\r\n" % name).split() + [b"0"] * 5)[4]) for server in (self.o, self.n)]
        token = proxy.ask("gets %s\r\n" % key).split()[4]
        self.assertEqual(int(token), tokens[0])
        self.publish("SWITCH")
        self.assertEqual(proxy.ask("cas %s 0 0 1 %s\r\nx\r\n" % (key, token)), "EXISTS\r\n")
        self.assertEqual(proxy.ask("ms %s 1 C%s\r\nx\r\n" % (key, token)), "EX\r\n")
        self.assertEqual(self.n.at(name), b"x")
        proxy.ask("gets %s\r\n" % key)
        self.assertEqual(proxy.ask("cas %s 0 0 1 %s\r\nx\r\n" % (key, token)), "STORED\r\n")

    def test_a_cas_of_a_value_that_has_gone_removes_nothing(self):
        proxy = self.start()
        (key, *_), _ = self.moving(proxy)
        name = key.encode()
        for phase in ("COPY", "SWITCH", "SETTLE", "DRAIN"):
            owner, other = (self.o, self.n) if phase in AT_OLD else (self.n, self.o)
            for command, answer in (("cas %s 0 0 1 %s\r\ny\r\n", "EXISTS"), ("ms %s 1 C%s\r\ny\r\n", "EX"),
                                    ("ma %s C%s\r\n", "EX")):
                for reserved in (False, True):
                    with self.subTest(phase=phase, command=command, reserved=reserved):
                        self.publish(phase)
                        proxy.ask("set %s 0 0 1\r\n1\r\n" % key)
                        token = proxy.ask("gets %s\r\n" % key).split()[4]
                        # As after two changes: it has moved away, and has not come back yet.
                        owner.put(name, None)
                        other.put(name, b"4")
                        if reserved:
                            owner.ask(b"mg %s N30\r\n" % name)
                        self.assertEqual(proxy.ask(command % (key, token)), answer + "\r\n")
                        self.assertEqual((owner.at(name), other.at(name)), (b"" if reserved else None, b"4"))
                        owner.put(name, None)
                        other.put(name, None)
                        self.assertIn(proxy.ask(command % (key, token)), ("NOT_FOUND\r\n", "NF\r\n"))

    def test_a_step_that_is_too_late_is_not_sent(self):
        (key, *_), _ = self.moving(self.start())

        def answer(line):
            if line.startswith(b"version"):
                return b"VERSION played\r\n"
            if line.startswith(b"set"):
                self.publish("COPY", retire_ns=1)  # the plan's time is over
                return b"STORED\r\n"
            return b"NOT_FOUND\r\n"

        played = [Played(answer), Played(answer)]
        for server in played:
            self.addCleanup(server.close)
        self.addresses = [server.address for server in played]
        self.publish("PREPARE")
        proxy = self.start(threads=1)  # one connection to each: a played server has no more
        self.assertEqual(proxy.ask("set %s 0 0 1\r\nx\r\n" % key), "STORED\r\n")
        self.assertEqual(proxy.stat("invalidated"), 1)
        # Both by the plan that was too late, then both by a new one.
        delete = b"delete %s" % key.encode()
        said = [[line for line in server.said if line.split()[0] in (b"set", b"delete")] for server in played]
        self.assertEqual(said[0][1:], [delete, delete])
        self.assertEqual(said[1], [delete, delete])

    def test_a_binary_key_is_the_one_that_it_names(self):
        proxy = self.start()
        moving, staying = self.moving(proxy)
        for phase in ("STEADY", "COPY", "SWITCH"):
            self.publish(phase)
            for key in moving + staying:
                proxy.ask("ms %s 1 b\r\n%s\r\n" % (base64.b64encode(key.encode()).decode(), phase[1]))
                self.assertEqual(proxy.ask("get %s\r\n" % key), "VALUE %s 0 1\r\n%s\r\nEND\r\n" % (key, phase[1]))
        for key in moving:
            self.assertEqual((self.o.at(key.encode()), self.n.at(key.encode())), (None, b"W"))

    def test_what_is_not_supported_is_told(self):
        proxy = self.start()
        (key, *_), _ = self.moving(proxy)
        not_ours = r"CLIENT_ERROR mcroster: this command is not one for the proxy\r\n"
        for phase in ("STEADY", "SWITCH"):
            self.publish(phase)
            proxy.ask("set %s 0 0 1\r\n1\r\n" % key)
            for command, answer in ((f"ms {key} 1 E77\r\nx\r\n", "CLIENT_ERROR mcroster: a cas cannot be chosen\r\n"),
                                    (f"md {key} E77\r\n", "CLIENT_ERROR mcroster: a cas cannot be chosen\r\n"),
                                    (f"ma {key} E77\r\n", "CLIENT_ERROR mcroster: a cas cannot be chosen\r\n"),
                                    (f"ms {key} 1 MX\r\nx\r\n", not_ours), (f"me {key}\r\n", not_ours),
                                    (f"ms {key} 1 Cx\r\ny\r\n", "CLIENT_ERROR bad token in command line format\r\n")):
                with self.subTest(phase=phase, command=command):
                    self.assertRegex(proxy.ask(command), "^" + answer + "$")
            token = proxy.ask("gets %s\r\n" % key).split()[4]
            self.assertEqual(proxy.ask("get %s\r\n" % key), "VALUE %s 0 1\r\n1\r\nEND\r\n" % key)
            self.assertEqual(proxy.ask("md %s C%s\r\n" % (key, token)), "HD\r\n" if phase == "STEADY" else "EX\r\n")


class Wrong(World):
    """What is wrong is what commands are answered with, until it is right again; the process lives on."""

    def works(self, proxy):
        return proxy.ask("set a 0 0 1\r\nx\r\nget a\r\n") == "STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\n"

    def says(self, proxy, why, commands=("get a\r\n", "set a 0 0 1\r\nx\r\n", "mg a v\r\n", "md a\r\n")):
        for command in commands:
            self.assertEqual(proxy.ask(command), "SERVER_ERROR mcroster: %s\r\n" % why)
        self.assertTrue(proxy.stat("failed") > 0)
        self.assertIsNone(proxy.process.poll())

    def test_options(self):
        no_table = 'pools wants a table of options, as { cluster = "web" }'
        for options, why in (("()", no_table), ('"web"', no_table), ("{}", "pools: no cluster is named"),
                             ("{ cluster = 5 }", "pools: cluster = 5: want a cluster's name, or a segment's"),
                             ('{ cluster = "a/b c" }', "bad argument"),
                             ('{ cluster = "a", strict = "yes" }', "pools: strict = yes: want true or false"),
                             ('{ cluster = "a", connections = 0 }',
                              "pools: connections = 0: want a whole number from 1 to 8"),
                             ('{ cluster = "a", wait_ms = 1e9 }',
                              "pools: wait_ms = 1000000000.0: want a whole number from 0 to 900"),
                             ('{ cluster = "a", conections = 2 }', "pools: there is no option conections")):
            with self.subTest(options=options):
                self.says(self.start(options), why)

    def test_a_host_without_a_lease(self):
        why = "the host holds no lease and may not serve"
        proxy = self.start('{ cluster = "%s", strict = true%s }' % (self.segment.name, "" if REAL else ", wait_ms = 0"))
        self.says(proxy, why)
        self.segment.put(136, "=Q", FOR_EVER)
        self.assertTrue(self.works(proxy))
        self.segment.put(136, "=Q", 1)
        self.says(proxy, why)
        self.assertTrue(self.works(self.start()))

    def test_two_releases(self):
        with tempfile.TemporaryDirectory() as directory:
            paths = [path.replace("?", "mcroster") for path in os.environ["LUA_PATH"].split(";")]
            with open([path for path in paths if os.path.exists(path)][0], encoding="utf-8") as file:
                text = file.read()
            older = re.sub(r"^local INTERFACE = \d+", "local INTERFACE = 1", text, flags=re.M)
            self.assertNotEqual(text, older)
            with open(os.path.join(directory, "mcroster.lua"), "w", encoding="utf-8") as file:
                file.write(older)
            proxy = self.start(LUA_PATH=directory + "/?.lua;" + os.environ["LUA_PATH"])
            self.says(proxy, "mcroster.lua and mcroster.so are of different releases: install both of one, "
                             "and start memcached again")

    def test_no_module(self):
        only = [path for path in os.environ["LUA_CPATH"].split(";") if "tests/proxy" in path]
        proxy = self.start(LUA_CPATH=";".join(only) or "/nowhere/?.so")
        self.says(proxy, "module 'mcroster.core' not found:")

    def test_an_older_memcached(self):
        self.says(self.start(before="if mcp.request then mcp.request = function() return {} end end"),
                  "this memcached is too old: 1.6.40 or later is wanted")

    def test_a_segment_that_comes_and_goes(self):
        name = self.segment.name
        self.segment.close()
        self.segment = type("None", (), {"close": lambda self: None})()
        proxy = self.start('{ cluster = "%s"%s }' % (name, "" if REAL else ", wait_ms = 0"))
        self.says(proxy, "there is no segment of that name")
        self.segment = Segment(2000, name)
        self.says(proxy, "there is no segment of that name")
        self.publish("STEADY")
        wait_for(lambda: self.works(proxy), "a segment that has come")
        self.assertEqual(proxy.stat("epoch"), 41)
        self.segment.put(144, "=I", 1)
        self.segment.put(256, "=I", self.segment.generation + 1)
        self.segment.close()
        self.segment = type("None", (), {"close": lambda self: None})()
        self.says(proxy, "there is no segment of that name")
        self.segment = Segment(2000, name)
        self.publish("STEADY")
        wait_for(lambda: self.works(proxy), "a segment that has come again")

    def test_a_list_without_servers(self):
        proxy = self.start()
        wait_for(lambda: self.works(proxy), "an answer")
        self.publish("STEADY", count=0)
        answer = proxy.ask("get a\r\n")
        self.assertRegex(answer, "^SERVER_ERROR mcroster: ")
        self.says(proxy, answer[len("SERVER_ERROR mcroster: "):-2])
        self.says(self.start(), answer[len("SERVER_ERROR mcroster: "):-2])
        self.publish("STEADY")
        wait_for(lambda: self.works(proxy), "a list with servers")

    def test_servers_that_refuse(self):
        proxy = self.start()
        wait_for(lambda: self.works(proxy), "an answer")
        (key, *_), _ = self.moving(proxy)
        self.o.close()
        self.says(proxy, "a server did not answer", ("get a\r\n", "set a 0 0 1\r\nx\r\n", "mg a v\r\n"))
        self.publish("SWITCH")
        self.assertEqual(proxy.ask("set %s 0 0 1\r\nx\r\n" % key)[:30], "SERVER_ERROR mcroster: not com")
        self.assertEqual(proxy.ask("get %s\r\n" % key), "VALUE %s 0 1\r\nx\r\nEND\r\n" % key)
        agent = Agent(self.segment)
        self.addCleanup(agent.close)
        self.assertEqual(proxy.ask("set %s 0 0 1\r\nx\r\n" % key),
                         "SERVER_ERROR mcroster: not complete: the agent removes what is left\r\n")
        self.assertEqual((agent.owed, proxy.stat("owed")), ([{"server": b"cache0", "key": key.encode()}], 1))
        self.publish("STEADY")
        self.o.start()
        wait_for(lambda: self.works(proxy), "a server that is back")

    def test_a_server_that_is_not_connected_yet(self):
        proxy = self.start(before="mcp.schedule_config_reload = function() end")
        moving, staying = self.moving(proxy)
        key, why = moving[0], "a server has just been listed and is not connected yet"
        self.publish("COPY", first_id=2000)
        self.o.put(key.encode(), b"x")
        self.assertEqual(proxy.ask("get %s\r\n" % key), "VALUE %s 0 1\r\nx\r\nEND\r\n" % key)
        self.says(proxy, why, ("get %s\r\n" % moving[1], "set %s 0 0 1\r\ny\r\n" % key, "delete %s\r\n" % key))
        self.assertEqual(self.o.at(key.encode()), b"x")
        self.publish("SWITCH", first_id=2000)
        self.assertEqual(proxy.ask("get %s\r\n" % key), "VALUE %s 0 1\r\nx\r\nEND\r\n" % key)
        self.assertEqual(proxy.ask("set %s 0 0 1\r\nx\r\n" % staying[0]), "STORED\r\n")

    def start_told(self):
        """A proxy that writes into a file when its cron looks (w) and wants to load its file again (r)."""
        log = tempfile.NamedTemporaryFile()
        self.addCleanup(log.close)
        told = 'function() local file <close> = io.open("%s", "a") file:write("%s") return %s() end'
        proxy = self.start(before="if mcp.register_cron and not register then\nlocal reload = mcp.schedule_config_reload\n"
                                  "register = mcp.register_cron\nmcp.schedule_config_reload = %s\n"
                                  "mcp.register_cron = function(name, how)\nlocal func = how.func\n"
                                  "how.func = %s\nregister(name, how)\nend\nend"
                                  % (told % (log.name, "r", "reload"), told % (log.name, "w", "func")))

        def looked():
            with open(log.name, "rb") as file:
                return file.read()
        return proxy, looked

    def test_a_server_that_leaves_and_comes_again(self):
        proxy, looked = self.start_told()
        moving, _ = self.moving(proxy)
        self.publish("STEADY", count=1)
        begun = len(looked())
        wait_for(lambda: len(looked()) >= begun + 3, "two looks at a list with fewer servers")
        self.publish("COPY")
        for key in moving:
            self.assertEqual(proxy.ask("set %s 0 0 1\r\nx\r\n" % key), "STORED\r\n")
        self.assertNotIn(b"r", looked())

    def test_a_file_that_cannot_be_loaded_again(self):
        proxy, looked = self.start_told()
        moving, staying = self.moving(proxy)
        with open(proxy.path, encoding="utf-8") as file:
            good = file.read()
        for text in ("this is not Lua", 'error("no")', 'require "nothing.of.this.name"'):
            proxy.write(text)
            self.publish("COPY", first_id=2000)
            begun = len(looked())
            wait_for(lambda: len(looked()) >= begun + 2, "a look at a list with another server")
            self.assertNotIn(b"r", looked())
            self.assertEqual(proxy.ask("set %s 0 0 1\r\nx\r\n" % staying[0]), "STORED\r\n")
            self.says(proxy, "a server has just been listed and is not connected yet", ("delete %s\r\n" % moving[0],))
        proxy.write(good)
        wait_for(lambda: proxy.ask("delete %s\r\n" % moving[0]) == "NOT_FOUND\r\n", "a server that is connected")


unittest.main()
