#!/usr/bin/env python3
"""Does a proxy answer as a memcached does?  A program for scenarios.

    compare.py PROXY-ADDRESS MEMCACHED-ADDRESS SEED COMMANDS

Sends the same random commands, classic and meta, to both and compares every answer byte for byte, but
for the numbers of cas tokens.  Prints how many it sent.  phases.py does the same with keys that move.
"""
import random
import re
import socket
import sys

BINARY = [b"AAECAw==", b"b25l", b"/+8A"]


class Rule:
    """The keys, and what is another answer by right while they move: then an empty value may be a
    reservation, N stores nothing, `md C` is refused, and append too from SETTLE on."""

    def __init__(self, keys=(b"one", b"two", b"three", b"four"), moving=False, appends=True):
        self.keys, self.moving = keys, moving
        self.sizes = [1, 7, 3000] if moving else [0, 1, 7, 3000]
        self.appends = [b"append", b"prepend"] if appends else []
        self.modes = [b"", b"CTOKEN", b"ME", b"MR", b"MS"] + ([b"MA", b"MP"] if appends else [])
        self.mg_flags = [b"v", b"s", b"f", b"c", b"T0"] + ([] if moving else [b"N30"])
        self.ma_flags = [b"v", b"J7", b"D2", b"MD"] + ([] if moving else [b"N0"])


class Side:
    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.file = socket.create_connection((host, int(port)), 10).makefile("rwb")
        self.tokens = {}  # key -> the token that was seen last

    def ask(self, text):
        self.file.write(text + b"mn\r\n")
        self.file.flush()
        lines = []
        while not lines or lines[-1] != b"MN\r\n":
            lines.append(self.file.readline())
            if not lines[-1]:
                raise AssertionError("the connection ended after %r" % text)
        return b"".join(lines[:-1])


def classic(dice, key, rule):
    value = b"%d" % dice.randrange(100) if dice.random() < 0.5 else b"x" * dice.choice(rule.sizes)
    quiet = b" noreply" if dice.random() < 0.15 else b""
    name = dice.choice([b"set", b"set", b"add", b"replace", b"get", b"get", b"gets", b"gat",
                        b"gats", b"touch", b"incr", b"decr", b"delete", b"cas", b"many"] + rule.appends)
    if name in (b"set", b"add", b"replace", b"append", b"prepend"):
        return b"%s %s %d 0 %d%s\r\n%s\r\n" % (name, key, dice.randrange(9), len(value), quiet, value)
    if name == b"cas":
        return b"cas %s 0 0 %d TOKEN%s\r\n%s\r\n" % (key, len(value), quiet, value)
    if name == b"many":
        return b"get %s\r\n" % b" ".join(dice.sample(rule.keys, 3))
    if name in (b"gat", b"gats"):
        return b"%s 1000 %s\r\n" % (name, key)
    if name == b"touch":
        return b"touch %s 1000%s\r\n" % (key, quiet)
    if name in (b"incr", b"decr"):
        return b"%s %s %d\r\n" % (name, key, dice.randrange(9))
    if name == b"delete":
        return b"delete %s%s\r\n" % (key, quiet)
    return b"%s %s\r\n" % (name, key)


def meta(dice, key, binary, rule):
    value = b"%d" % dice.randrange(100) if dice.random() < 0.5 else b"y" * dice.choice(rule.sizes)
    flags = [b"b"] if binary else []
    flags += [flag for flag in (b"k", b"O77", b"q") if dice.random() < 0.25]
    name = dice.choice([b"mg", b"mg", b"ms", b"ms", b"md", b"ma"])
    if name == b"mg":
        flags += [flag for flag in rule.mg_flags if dice.random() < 0.3]
        head = b"mg " + key
    elif name == b"ms":
        flags += [dice.choice(rule.modes)]
        flags += [flag for flag in (b"F3", b"T0") if dice.random() < 0.2]
        head = b"ms %s %d" % (key, len(value))
    elif name == b"md":
        flags += [b"CTOKEN"] if dice.random() < 0.2 and not rule.moving else []
        head = b"md " + key
    else:
        flags = [flag for flag in flags if flag != b"q"]  # what N makes is told in spite of it, but not by proxies
        flags += [flag for flag in rule.ma_flags if dice.random() < 0.3]
        head = b"ma " + key
    text = b" ".join([head] + [flag for flag in flags if flag]) + b"\r\n"
    return text + value + b"\r\n" if name == b"ms" else text


TOKENS = (re.compile(rb"^(VALUE \S+ \d+ \d+ )(\d+)", re.M), re.compile(rb"^((?:HD|VA \d+)(?: \S+)*? c)(\d+)", re.M))


def same(text, proxy, server, rule):
    if proxy == server:
        return True
    if proxy[:2] == b"EX" and server[:2] in (b"NF", b"NO") and b"TOKEN" in text:
        return True  # no token holds that the proxy has not given, whether the key is there or not
    # What is no number may be a reservation.
    return rule.moving and b"non-numeric" in server and proxy[:2] in (b"NF", b"NO")


def settle_number(sides, key, binary):
    """A number that became shorter is padded with blanks, unless memcached's own threads hold the item at
    that moment: by chance then, so neither side keeps such a value."""
    ask = b"mg %s%s v\r\n" % (key, b" b" if binary else b"")
    if any(re.search(rb"\d +\r\n", side.ask(ask)) for side in sides):
        for side in sides:
            side.ask(b"md %s%s\r\n" % (key, b" b" if binary else b""))


def compare(proxy_address, server_address, seed, count, rule):
    proxy, server = Side(proxy_address), Side(server_address)
    try:
        compare_sides(proxy, server, random.Random(seed), count, rule)
    finally:
        for side in (proxy, server):
            for key in rule.keys:
                side.ask(b"delete %s\r\n" % key)
            for key in BINARY:
                side.ask(b"md %s b\r\n" % key)


def compare_sides(proxy, server, dice, count, rule):
    for number in range(count):
        binary = dice.random() < 0.1
        key = dice.choice(BINARY if binary else rule.keys)
        text = meta(dice, key, binary, rule) if binary or dice.random() < 0.5 else classic(dice, key, rule)
        old = dice.random() < 0.5
        answers = []
        for side in (proxy, server):
            seen = side.tokens.get(key, (b"99999", b"99999"))
            answer = side.ask(text.replace(b"TOKEN", seen[0] if old else seen[1]))
            for pattern in TOKENS:
                found = pattern.search(answer)
                if found and b"many" not in text:
                    side.tokens[key] = (seen[1], found.group(2))
                answer = pattern.sub(rb"\1-", answer)
            answers.append(answer)
        if not same(text, answers[0], answers[1], rule):
            raise AssertionError("command %d, %r: the proxy says %r, memcached %r"
                                 % (number, text[:200], answers[0][:200], answers[1][:200]))
        if text.startswith((b"decr ", b"ma ")):
            settle_number((proxy, server), key, binary)


def main():
    compare(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Rule())
    print("%s commands, the same answers" % sys.argv[4])


if __name__ == "__main__":
    main()
