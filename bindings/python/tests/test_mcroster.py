"""The binding beside two memcacheds: its structures against the header, every command in every phase,
and each rule when a server or the agent does not do its part."""
from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from typing import Any, Optional

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
sys.path.insert(0, HERE)

from pymemcache.client.base import Client  # noqa: E402
from pymemcache.exceptions import MemcacheClientError, MemcacheError  # noqa: E402
from pymemcache.exceptions import MemcacheIllegalInputError  # noqa: E402

import mcroster  # noqa: E402
from mcroster import CasToken, End, IncompleteError, Op, OwedError, Phase, Roster  # noqa: E402
from mcroster import RosterClient, RosterError, Send, library  # noqa: E402
from world import FULL, PHASES, REFUSED, Agent, Memcached, Played, Segment, wait_for  # noqa: E402

INCLUDE = os.path.join(HERE, "..", "..", "..", "include")
MOVING = PHASES[1:]
AT_NEW = ("SWITCH", "SETTLE", "DRAIN", "GIVEUP")


class Layout(unittest.TestCase):
    """library.py says what mcroster.h says."""

    def test_structures_are_the_headers(self) -> None:
        structures = {"mcr_step": library.Step, "mcr_plan": library.Plan,
                      "mcr_server": library.Server, "mcr_info": library.Info}
        program = "#include <mcroster.h>\n#include <stdio.h>\n#define P(n,v) printf(\"%s %zu\\n\",n,(size_t)(v))\nint main(void){\n"
        expected = {}
        for name, structure in structures.items():
            program += f'P("{name}", sizeof(struct {name}));\n'
            expected[name] = ctypes.sizeof(structure)
            for field, *_ in structure._fields_:
                descriptor = getattr(structure, field)
                program += (f'P("{name}.{field}", offsetof(struct {name}, {field}));\n'
                            f'P("{name}.{field} bytes", sizeof(((struct {name} *)0)->{field}));\n')
                expected[f"{name}.{field}"] = descriptor.offset
                expected[f"{name}.{field} bytes"] = descriptor.size
        with tempfile.TemporaryDirectory() as directory:
            source = os.path.join(directory, "layout.c")
            with open(source, "w", encoding="ascii") as file:
                file.write(program + "return 0;}\n")
            subprocess.run(["gcc", "-I", INCLUDE, "-o", source + ".out", source], check=True)
            output = subprocess.run([source + ".out"], check=True, capture_output=True, text=True,
                                    env={}).stdout
        found = {line.rpartition(" ")[0]: int(line.rpartition(" ")[2])
                 for line in output.splitlines()}
        self.assertEqual(found, expected)
        with open(os.path.join(INCLUDE, "mcroster.h"), encoding="utf-8") as file:
            header = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        for name, structure in structures.items():
            body = re.search(r"struct %s \{(.*?)\n\};" % name, header, re.S).group(1)
            names = re.findall(r"(\w+)(?:\[[^\]]*\](?:\[[^\]]*\])?)?\s*[,;]", body)
            self.assertEqual(names, [field for field, *_ in structure._fields_], name)

    def test_numbers_are_the_headers(self) -> None:
        with open(os.path.join(INCLUDE, "mcroster.h"), encoding="utf-8") as file:
            header = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)

        def names(enum: str, prefix: str) -> list:
            body = re.search(r"enum %s \{(.*?)\}" % enum, header, re.S).group(1)
            return [name[len(prefix):] for name in re.findall(r"MCR_\w+", body)
                    if not name.endswith("COUNT")]

        self.assertEqual(names("mcr_op", "MCR_OP_"), [op.name for op in Op])
        self.assertEqual(names("mcr_phase", "MCR_"), [phase.name for phase in Phase])
        self.assertEqual(names("mcr_send", "MCR_SEND_"), [send.name for send in Send])
        self.assertEqual(names("mcr_answer", "MCR_ANSWER_"),
                         [answer.name for answer in mcroster.Answer])
        body = re.search(r"enum mcr_error \{(.*?)\}", header, re.S).group(1)
        for name, value in re.findall(r"MCR_(\w+) = (-?\d+)", body):
            if hasattr(library, name):
                self.assertEqual(getattr(library, name), int(value), name)
        declared = set(re.findall(r"\b(mcr_\w+)\(", header))
        self.assertEqual(declared, set(library._PROTOTYPES))


class World(unittest.TestCase):
    """Two real memcacheds, STEADY published, and a client."""
    op_timeout_ms = 5000

    def setUp(self) -> None:
        self.segment = Segment(self.op_timeout_ms)
        self.addCleanup(self.segment.close)
        self.o, self.n = Memcached(), Memcached()
        self.addCleanup(self.o.close)
        self.addCleanup(self.n.close)
        self.addresses = [self.o.address, self.n.address]
        self.publish("STEADY")
        self.roster = Roster(self.segment.name)
        self.addCleanup(self.roster.close)
        self.client = RosterClient(self.roster)
        self.addCleanup(self.client.close)
        self.key = self.moving_key()

    def publish(self, phase: str, **options: Any) -> None:
        self.segment.publish(phase, self.addresses, **options)

    def moving_key(self) -> bytes:
        self.publish("COPY")
        try:
            for i in range(1000):
                key = b"key:%d" % i
                old, new = self.roster.owners(key)
                if old != new:
                    return key
            raise AssertionError("no key moves")
        finally:
            self.publish("STEADY")

    def lie(self, at_o: Optional[bytes], at_n: Optional[bytes]) -> None:
        self.o.put(self.key, at_o)
        self.n.put(self.key, at_n)

    def lies(self, at_o: Optional[bytes], at_n: Optional[bytes]) -> None:
        self.assertEqual((self.o.at(self.key), self.n.at(self.key)), (at_o, at_n))

    def play(self, number: int, answer: Any) -> Played:
        played = Played(answer)
        self.addCleanup(played.close)
        self.addresses[number] = played.address
        return played

    def agent(self, *arguments: Any) -> Agent:
        agent = Agent(self.segment, *arguments)
        self.addCleanup(agent.close)
        return agent


class TheRoster(World):
    def test_a_plan_is_the_rule_for_a_key(self) -> None:
        with self.roster.plan(Op.SET, self.key) as plan:
            self.assertEqual([(step.server.name, step.send) for step in plan.steps],
                             [("cache0", Send.WRITE)])
            self.assertTrue(plan.check())
        self.publish("SETTLE")
        with self.roster.plan(Op.SET, self.key) as plan:
            self.assertEqual([(step.server.name, step.send) for step in plan.steps],
                             [("cache0", Send.DELETE), ("cache1", Send.WRITE)])
            self.assertEqual(plan.phase, Phase.SETTLE)
            self.assertEqual(plan.owner.name, "cache1")
        self.assertEqual(plan.end(), End.OK)
        with self.roster.plan(Op.GET, self.key) as plan:
            self.publish("DRAIN", retire_ns=1)
            self.assertFalse(plan.check())
        self.assertEqual(plan.end(), End.REPEAT)

    def test_wait_sees_the_next_generation(self) -> None:
        generation = self.roster.info().generation
        self.assertFalse(self.roster.wait(generation, 0))
        self.assertFalse(self.roster.wait(timeout=0.01))
        self.publish("PREPARE")
        self.assertTrue(self.roster.wait(generation, 10))
        self.assertEqual(self.roster.info().phase, Phase.PREPARE)
        self.assertEqual([server.address for server in self.roster.servers()], self.addresses)
        self.assertEqual(self.roster.servers()[0].host_port, ("127.0.0.1", self.o.port))

    def test_what_is_refused_says_why(self) -> None:
        with self.assertRaisesRegex(RosterError, "no segment of that name"):
            Roster("/mcroster.not-there")
        with self.assertRaises(RosterError) as caught:
            self.roster.plan(Op.GET, b"")
        self.assertEqual(caught.exception.code, library.BAD_KEY)
        with self.assertRaises(TypeError):
            self.roster.plan(Op.GET, "text")
        with self.assertRaises(RosterError) as caught:
            self.roster.register()
        self.assertEqual(caught.exception.code, library.NO_AGENT)

    def test_a_segment_that_is_not_ready_or_is_broken_is_said_to_be(self) -> None:
        blank = Segment(1000)
        self.addCleanup(blank.close)
        with Roster(blank.name) as roster:
            with self.assertRaises(RosterError) as caught:
                roster.plan(Op.GET, b"k")
            self.assertEqual(caught.exception.code, library.NOT_READY)
            with self.assertRaises(RosterError):
                RosterClient(roster).get("k")
            self.assertIsNone(RosterClient(roster, ignore_exc=True).get("k"))
            self.assertFalse(roster.wait(timeout=0.01))
            blank.publish("STEADY", self.addresses)
            blank.put(256, "=I", 0xffffff00)  # a generation that is in no slot
            with self.assertRaises(RosterError):
                roster.plan(Op.GET, b"k")
        for at, form, value in ((0, "=Q", 0), (8, "=I", 99), (12, "=I", 2**31), (16, "=I", 1),
                                (24, "=Q", 2**63)):
            blank.put(0, "=40s", self.segment.map[0:40])
            Roster(blank.name).close()
            blank.put(at, form, value)
            with self.subTest(at=at), self.assertRaises(RosterError):
                Roster(blank.name)
        os.fchmod(self.segment.file, 0o666)
        with self.assertRaises(RosterError):
            Roster(self.segment.name)

    def test_readers_of_threads_that_ended_are_used_again(self) -> None:
        for _ in range(20):
            thread = threading.Thread(target=lambda: self.roster.plan(Op.GET, b"k").end())
            thread.start()
            thread.join()
        self.assertLess(len(self.roster._readers), 5)


class Commands(World):
    def test_every_command_is_pymemcaches(self) -> None:
        plain = Client(("127.0.0.1", self.o.port), default_noreply=False)
        self.addCleanup(plain.close)

        def script(client: Any) -> list:
            answers = [client.get("k"), client.get("k", 7), client.replace("k", "x"),
                       client.append("k", "x"), client.incr("k", 1), client.touch("k", 10),
                       client.delete("k"), client.add("k", "one"), client.add("k", "two"),
                       client.get("k"), client.replace("k", "two"), client.prepend("k", "<"),
                       client.append("k", ">"), client.get("k"), client.set("n", 41),
                       client.incr("n", 2), client.decr("n", 1), client.get("n"),
                       client.set_many({"a": 1, "b": "2", "c": b"3"}),
                       client.get_many(["a", "b", "none", b"c"]), client.set("e", ""),
                       client.get("e"), client.touch("a", -1), client.get("a"),
                       client.gets("none"), client.gets("none", 1, 2)]
            value, token = client.gets("b")
            answers += [value, client.cas("b", "new", token), client.cas("b", "late", token),
                        client.get("b"), client.delete("b"), client.cas("b", "none", token),
                        sorted(client.gets_many(["c", "none"])), client.delete_many(["c", "e"]),
                        client.delete("k"), client.delete("k"), client.flush_all()]
            client["item"] = "value"
            answers.append(client["item"])
            del client["item"]
            answers.append(client.get("item"))
            return answers

        expected = script(plain)
        self.assertEqual(script(self.client), expected)
        with self.assertRaises(KeyError):
            self.client["item"]

    def test_the_interface_is_pymemcaches(self) -> None:
        import inspect
        own_server = {"stats", "version", "cache_memlimit", "shutdown"}
        for name, method in inspect.getmembers(Client, inspect.isfunction):
            if name.startswith("_") or name in own_server:
                continue
            self.assertTrue(hasattr(RosterClient, name), name)
            mine = inspect.signature(getattr(RosterClient, name)).parameters
            for parameter in inspect.signature(method).parameters.values():
                self.assertIn(parameter.name, mine, name)

    def test_keys_and_values_are_checked_as_pymemcache_does(self) -> None:
        for key in ("a b", "x" * 251, "\0", "ü"):
            with self.assertRaises(MemcacheIllegalInputError):
                self.client.set(key, "v")
        unicode_client = RosterClient(self.roster, allow_unicode_keys=True, key_prefix="p:",
                                      encoding="utf8")
        self.assertTrue(unicode_client.set("ü", "ä"))
        self.assertEqual(self.o.at("p:ü".encode()), "ä".encode())
        with self.assertRaises(MemcacheIllegalInputError):
            self.client.set("k", "ä")
        with self.assertRaises(MemcacheIllegalInputError):
            self.client.cas("k", "v", b"1")

    def test_odd_arguments_come_to_what_they_do_with_pymemcache(self) -> None:
        plain = Client(("127.0.0.1", self.o.port), default_noreply=False)
        self.addCleanup(plain.close)
        calls = [
            lambda c: c.get(None), lambda c: c.get(5), lambda c: c.get(["a"]),
            lambda c: c.get("x" * 250), lambda c: c.get("x" * 251), lambda c: c.get(b"x" * 251),
            lambda c: c.get("a b"), lambda c: c.get(b"a b"), lambda c: c.get("a\r\nb"),
            lambda c: c.get(b"a\0b"), lambda c: c.get("a\tb"), lambda c: c.delete(None),
            lambda c: c.set("k", None), lambda c: c.get("k"), lambda c: c.set("k", 5),
            lambda c: c.get("k"), lambda c: c.set("k", ["a"]), lambda c: c.get("k"),
            lambda c: c.set("k", bytearray(b"abc")), lambda c: c.get("k"),
            lambda c: c.set("k", b"x" * 1000000), lambda c: c.get("k"),
            lambda c: c.set("k", b"x" * (3 << 20)), lambda c: c.get("k"),
            lambda c: c.set("k", "v", expire="soon"), lambda c: c.set("k", "v", expire=-1),
            lambda c: c.get("k"), lambda c: c.set("k", "v", flags=2**32 - 1), lambda c: c.get("k"),
            lambda c: c.set("n", 5), lambda c: c.incr("n", "x"), lambda c: c.incr("n", -1),
            lambda c: c.incr("n", 2**64 - 1), lambda c: c.decr("n", 100), lambda c: c.get("n"),
            lambda c: c.incr("n", None), lambda c: c.touch("n", "x"),
            lambda c: c.get_many([]), lambda c: c.get_many("nk"), lambda c: c.get_many(None),
            lambda c: c.get_many([None]),
            lambda c: c.set_many({}), lambda c: c.delete_many([]), lambda c: c.cas("n", "v", None),
        ]

        def outcomes(client: Any) -> list:
            found = []
            for call in calls:
                try:
                    found.append(call(client))
                except Exception as error:
                    found.append(type(error))
            return found

        expected = outcomes(plain)
        plain.flush_all()
        for i, (mine, theirs) in enumerate(zip(outcomes(self.client), expected)):
            with self.subTest(call=i):
                self.assertEqual(mine, theirs)
        with self.assertRaisesRegex(MemcacheIllegalInputError, "empty"):
            self.client.get("")

    def test_values_go_through_the_serde(self) -> None:
        from pymemcache.serde import pickle_serde
        client = RosterClient(self.roster, serde=pickle_serde)
        client.set("k", {"a": [1, 2]})
        self.assertEqual(client.get("k"), {"a": [1, 2]})
        self.assertEqual(client.get_many(["k"]), {"k": {"a": [1, 2]}})

    def test_not_a_number_is_an_error_and_the_client_goes_on(self) -> None:
        self.client.set("k", "x")
        with self.assertRaises(MemcacheClientError):
            self.client.incr("k", 1)
        self.assertEqual(self.client.get("k"), b"x")


class Phases(World):
    def test_set_leaves_one_copy(self) -> None:
        for phase in MOVING:
            with self.subTest(phase):
                self.publish(phase)
                self.lie(b"old", b"older")
                self.assertTrue(self.client.set(self.key, "new"))
                new = phase in AT_NEW
                self.lies(None if new else b"new", b"new" if new else None)

    def test_delete_leaves_none(self) -> None:
        for phase in MOVING:
            for at in ((b"o", None), (None, b"n")):
                with self.subTest(phase):
                    self.publish(phase)
                    self.lie(*at)
                    self.assertTrue(self.client.delete(self.key))
                    self.lies(None, None)
                    self.assertFalse(self.client.delete(self.key))

    def test_reads_follow_the_plan(self) -> None:
        lies = ((b"o", b"n"), (b"o", None), (None, b"n"), (b"o", b""), (None, b""))
        at_o, at_n = (b"o", b"o", None, b"o", None), (b"n", b"o", b"n", b"o", None)
        expected = {"PREPARE": at_o, "COPY": (b"o", b"o", b"n", b"o", None), "SWITCH": at_n,
                    "SETTLE": at_n, "DRAIN": at_n, "GIVEUP": (b"n", None, b"n", None, None),
                    "UNWIND": at_o}
        for phase in MOVING:
            self.publish(phase)
            for at, read in zip(lies, expected[phase]):
                with self.subTest(phase, at=at):
                    self.lie(*at)
                    self.assertEqual(self.client.get(self.key), read)
                    self.assertEqual(self.client.get_many([self.key]),
                                     {} if read is None else {self.key: read})

    def test_add_looks_where_readers_look(self) -> None:
        for phase in MOVING:
            with self.subTest(phase):
                self.publish(phase)
                self.lie(b"o", None)
                self.assertEqual(self.client.add(self.key, "added"), phase == "GIVEUP")
                self.lie(None, b"")
                self.assertTrue(self.client.add(self.key, "added"))
                new = phase in AT_NEW
                self.lies(None if new else b"added", b"added" if new else None)

    def test_updates_go_to_the_owner(self) -> None:
        for phase in MOVING:
            with self.subTest(phase):
                new = phase in AT_NEW
                self.publish(phase)
                self.lie(b"10", b"20")
                self.assertEqual(self.client.incr(self.key, 1), 21 if new else 11)
                self.lies(None if new else b"11", b"21" if new else None)
                self.lie(b"o", b"n")
                drops = phase in ("SETTLE", "DRAIN", "GIVEUP")
                self.assertEqual(self.client.append(self.key, "!"), not drops)
                self.lies(None if new else b"o!", b"n!" if new and not drops else None)
        self.publish("SWITCH")
        self.lie(None, b"")
        self.assertIsNone(self.client.incr(self.key, 1))

    def test_touch_reads(self) -> None:
        for phase in MOVING:
            with self.subTest(phase):
                self.publish(phase)
                self.lie(b"o", b"n")
                self.assertTrue(self.client.touch(self.key, -1))
                self.lies(b"o", b"n")
                self.lie(None, None)
                self.assertFalse(self.client.touch(self.key, 60))

    def test_a_token_is_good_at_its_server_alone(self) -> None:
        self.publish("COPY")
        self.lie(b"o", None)
        _, token = self.client.gets(self.key)
        self.publish("SWITCH")
        self.lie(b"o", b"n")
        _, there = self.client.gets(self.key)
        self.assertFalse(self.client.cas(self.key, "mine", CasToken(there, token.server_id)))
        self.lies(b"o", b"n")
        self.assertTrue(self.client.cas(self.key, "mine", there))
        self.lies(None, b"mine")

    def test_a_cas_of_a_value_that_has_gone_removes_nothing(self) -> None:
        for phase in ("COPY", "SWITCH", "SETTLE", "DRAIN"):
            for left in (None, b""):
                with self.subTest(phase=phase, left=left):
                    self.publish(phase)
                    at_n = phase in AT_NEW
                    self.lie(*((None, b"was") if at_n else (b"was", None)))
                    _, token = self.client.gets(self.key)
                    # As after two changes: it has moved away, and has not come back yet.
                    self.lie(*((b"is", left) if at_n else (left, b"is")))
                    self.assertIs(self.client.cas(self.key, "mine", token), False)
                    self.lies(*((b"is", left) if at_n else (left, b"is")))
                    self.lie(None, None)
                    self.assertIsNone(self.client.cas(self.key, "mine", token))

    def test_flush_all_is_refused(self) -> None:
        self.publish("DRAIN")
        with self.assertRaisesRegex(MemcacheError, "while keys move"):
            self.client.flush_all()

    def test_many_reads_are_one_request_for_each_server_and_step(self) -> None:
        o = self.play(0, lambda line: b"END\r\n")
        n = self.play(1, lambda line: b"END\r\n")
        self.publish("DRAIN")
        self.assertEqual(self.client.get_many([b"batch-%d" % i for i in range(100)]), {})
        self.assertEqual((len(o.said), len(n.said)), (2, 2))

    def test_all_servers_are_asked_before_the_first_answer_is_waited_for(self) -> None:
        played = []

        def answer(line: bytes) -> bytes:
            wait_for(lambda: all(server.said for server in played), "the other server's question")
            return b"END\r\n"

        played += [self.play(0, answer), self.play(1, answer)]
        self.publish("SWITCH")
        self.assertEqual(self.client.get_many([b"both-%d" % i for i in range(100)]), {})


class Failures(World):
    op_timeout_ms = 1600

    def test_a_read_goes_on_to_the_next_server(self) -> None:
        self.publish("SWITCH")
        self.lie(b"o", None)
        self.n.stop()
        self.assertEqual(self.client.get(self.key), b"o")
        self.n.go_on()

    def test_a_read_that_failed_is_no_miss(self) -> None:
        self.publish("SWITCH")
        self.lie(None, None)
        self.n.stop()
        with self.assertRaises(OSError):
            self.client.get(self.key)
        with self.assertRaises(OSError):
            self.client.add(self.key, "added")
        self.assertEqual(RosterClient(self.roster, ignore_exc=True).get(self.key, 7), 7)
        self.n.go_on()
        self.lies(None, None)

    def test_a_broken_connection_is_no_miss(self) -> None:
        for answer in ("reset", b"VALUE other 0 1\r\nx\r\nEND\r\n", b"nonsense\r\n"):
            self.play(0, lambda line, answer=answer: answer)
            self.publish("STEADY")
            with self.assertRaises(Exception):
                self.client.get(self.key)

    def test_a_time_out_closes_by_a_reset(self) -> None:
        played = self.play(0, lambda line: None)
        self.publish("STEADY")
        for attempt in (1, 2):
            with self.assertRaises(OSError):
                self.client.set(self.key, "lost")
            wait_for(lambda: len(played.resets) == attempt, "the connection's end")
        self.assertEqual(played.resets, [True, True])
        self.assertEqual(played.connections, 2)

    def test_an_answer_that_comes_by_drops_is_given_up(self) -> None:
        def drops(line: bytes) -> Any:
            yield b"VALUE %s 0 500 1\r\n" % self.key
            for _ in range(500):  # ten seconds, each drop within the time-out
                time.sleep(0.02)
                yield b"x"
            yield b"\r\nEND\r\n"

        played = self.play(0, drops)
        self.publish("STEADY")
        with self.assertRaises(OSError):
            self.client.get(self.key)
        wait_for(lambda: bool(played.resets), "the connection's end")

    def test_whoever_leaves_while_others_are_waited_for_leaves_no_answer_behind(self) -> None:
        self.publish("SWITCH")
        keys = [b"left-%d" % i for i in range(100)]
        self.client.get_many(keys)
        connections = [self.client._connection(server) for server in self.roster.servers()]

        def leave(*_: Any) -> None:
            raise KeyboardInterrupt

        for connection in connections:
            connection.gets_many = leave  # type: ignore[method-assign]
        with self.assertRaises(KeyboardInterrupt):
            self.client.get_many(keys)
        self.assertEqual([connection.sock for connection in connections], [None, None])

    def test_a_first_step_that_fails_is_the_callers(self) -> None:
        self.publish("COPY")
        self.lie(None, b"older")
        self.o.stop()
        with self.assertRaises(OSError):
            self.client.set(self.key, "new")
        self.assertIsNone(self.n.at(self.key))
        self.o.go_on()

    def test_what_cannot_be_deleted_is_owed(self) -> None:
        agent = self.agent()
        self.publish("SWITCH")
        self.lie(b"old", None)
        self.o.stop()
        with self.assertRaises(OwedError):
            self.client.set(self.key, "new")
        self.assertEqual(agent.owed, [{"server": b"cache0", "key": self.key}])
        with self.assertRaises(OwedError):
            self.client.delete(self.key)
        self.publish("STEADY")
        with self.assertRaises(OwedError):
            self.client.delete(self.key)
        self.assertEqual(len(agent.owed), 3)
        self.assertEqual(self.client.set_many({self.key: "x"}), [self.key])
        self.o.go_on()

    def test_what_the_agent_refuses_is_incomplete(self) -> None:
        self.agent(REFUSED, FULL)
        self.publish("SWITCH")
        self.o.stop()
        with self.assertRaises(IncompleteError):
            self.client.set(self.key, "new")
        self.o.go_on()

    def test_without_an_agent_it_is_tried_again(self) -> None:
        self.publish("SWITCH")
        self.lie(b"old", None)
        self.o.stop()
        later = threading.Timer(4, self.o.go_on)
        later.start()
        self.assertTrue(self.client.set(self.key, "new"))
        later.join()
        self.lies(None, None)

    def test_somebody_who_leaves_in_the_middle_leaves_it_to_the_agent(self) -> None:
        agent = self.agent()
        self.publish("SWITCH")
        connection = self.client._connection(self.roster.servers()[0])

        def leave(*_: Any) -> None:
            raise KeyboardInterrupt

        connection.delete = leave  # type: ignore[method-assign]
        with self.assertRaises(KeyboardInterrupt):
            self.client.set(self.key, "new")
        self.assertEqual(agent.owed, [{"server": b"cache0", "key": self.key}])


class Generations(World):
    def publishing(self, phase: str, retire_ns: int) -> Any:
        """Answers; the first answer comes when another generation is out."""
        done = []

        def answer(line: bytes) -> bytes:
            if not done:
                done.append(True)
                self.publish(phase, retire_ns=retire_ns)
            return {b"get": b"END\r\n", b"set": b"STORED\r\n"}.get(line[:3], b"DELETED\r\n")

        return answer

    def test_a_write_that_overran_is_made_good(self) -> None:
        self.n.put(self.key, b"older")
        played = self.play(0, self.publishing("COPY", 1))
        self.publish("PREPARE")
        self.assertTrue(self.client.set(self.key, "new"))
        self.assertEqual([line.split()[0] for line in played.said], [b"set", b"delete", b"delete"])
        self.assertIsNone(self.n.at(self.key))

    def test_a_step_that_is_too_late_is_not_sent(self) -> None:
        self.play(0, self.publishing("SETTLE", 1))
        other = self.play(1, lambda line: {b"set": b"STORED\r\n"}.get(line[:3], b"DELETED\r\n"))
        self.publish("SETTLE")
        self.assertTrue(self.client.set(self.key, "new"))
        # It is made good, and planned again.
        self.assertEqual([line.split()[0] for line in other.said], [b"delete", b"delete", b"set"])

    def test_a_read_that_overran_is_thrown_away(self) -> None:
        self.n.put(self.key, b"n")
        self.play(0, self.publishing("SWITCH", 1))
        self.publish("PREPARE")
        self.assertEqual(self.client.get(self.key), b"n")

    def test_a_miss_while_the_generation_moves_on_is_read_again_once(self) -> None:
        played = self.play(0, self.publishing("STEADY", 2**64 - 1))
        self.publish("STEADY")
        self.assertIsNone(self.client.get(self.key))
        self.assertEqual(len(played.said), 2)


class Threads(World):
    def test_threads_share_a_client(self) -> None:
        self.client.set("counter", "0")
        failures = []

        def work(own: str) -> None:
            try:
                for i in range(200):
                    self.client.incr("counter", 1)
                    self.client.set(own, str(i))
                    if self.client.get(own) != str(i).encode():
                        failures.append(own)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(f"own-{i}",)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(self.client.get("counter"), b"1200")

    def test_a_child_has_connections_of_its_own(self) -> None:
        self.client.set("k", "v")
        before = self.client._connection(self.roster.servers()[0])
        child = os.fork()
        if child == 0:
            own = self.client._connection(self.roster.servers()[0]) is not before
            os._exit(0 if own and self.client.get("k") == b"v" else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(self.client.get("k"), b"v")


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(failed != 0)
