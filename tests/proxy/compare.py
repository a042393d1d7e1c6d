#!/usr/bin/env python3
"""Does a proxy answer as a memcached does?  A program for scenarios.

    compare.py PROXY-ADDRESS MEMCACHED-ADDRESS SEED COMMANDS

Sends the same random commands, classic and meta, to both and compares every answer byte for byte, but
for the numbers of cas tokens.  Prints how many it sent.
"""
import random
import re
import socket
import sys

KEYS = [b"one", b"two", b"three", b"four"]
BINARY = [b"AAECAw==", b"b25l", b"/+8A"]


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
                sys.exit("the connection ended after %r" % text)
        return b"".join(lines[:-1])


def classic(dice, key):
    value = b"%d" % dice.randrange(100) if dice.random() < 0.5 else b"x" * dice.choice([0, 1, 7, 3000])
    quiet = b" noreply" if dice.random() < 0.15 else b""
    name = dice.choice([b"set", b"set", b"add", b"replace", b"append", b"prepend", b"get", b"get", b"gets", b"gat",
                        b"gats", b"touch", b"incr", b"decr", b"delete", b"cas", b"many"])
    if name in (b"set", b"add", b"replace", b"append", b"prepend"):
        return b"%s %s %d 0 %d%s\r\n%s\r\n" % (name, key, dice.randrange(9), len(value), quiet, value)
    if name == b"cas":
        return b"cas %s 0 0 %d TOKEN%s\r\n%s\r\n" % (key, len(value), quiet, value)
    if name == b"many":
        return b"get %s\r\n" % b" ".join(dice.sample(KEYS, 3))
    if name in (b"gat", b"gats"):
        return b"%s 1000 %s\r\n" % (name, key)
    if name == b"touch":
        return b"touch %s 1000%s\r\n" % (key, quiet)
    if name in (b"incr", b"decr"):
        return b"%s %s %d\r\n" % (name, key, dice.randrange(9))
    if name == b"delete":
        return b"delete %s%s\r\n" % (key, quiet)
    return b"%s %s\r\n" % (name, key)


def meta(dice, key, binary):
    value = b"%d" % dice.randrange(100) if dice.random() < 0.5 else b"y" * dice.choice([0, 1, 7, 3000])
    flags = [b"b"] if binary else []
    flags += [flag for flag in (b"k", b"O77", b"q") if dice.random() < 0.25]
    name = dice.choice([b"mg", b"mg", b"ms", b"ms", b"md", b"ma"])
    if name == b"mg":
        flags += [flag for flag in (b"v", b"s", b"f", b"c", b"T0", b"N30") if dice.random() < 0.3]
        head = b"mg " + key
    elif name == b"ms":
        flags += [dice.choice([b"", b"CTOKEN", b"ME", b"MA", b"MP", b"MR", b"MS"])]
        flags += [flag for flag in (b"F3", b"T0") if dice.random() < 0.2]
        head = b"ms %s %d" % (key, len(value))
    elif name == b"md":
        flags += [b"CTOKEN"] if dice.random() < 0.2 else []
        head = b"md " + key
    else:
        flags = [flag for flag in flags if flag != b"q"]  # what N makes is told in spite of it, but not by proxies
        flags += [flag for flag in (b"v", b"N0", b"J7", b"D2", b"MD") if dice.random() < 0.3]
        head = b"ma " + key
    text = b" ".join([head] + [flag for flag in flags if flag]) + b"\r\n"
    return text + value + b"\r\n" if name == b"ms" else text


TOKENS = (re.compile(rb"^(VALUE \S+ \d+ \d+ )(\d+)", re.M), re.compile(rb"^((?:HD|VA \d+)(?: \S+)*? c)(\d+)", re.M))


def main():
    proxy, server = Side(sys.argv[1]), Side(sys.argv[2])
    dice, count = random.Random(int(sys.argv[3])), int(sys.argv[4])
    for number in range(count):
        binary = dice.random() < 0.1
        key = dice.choice(BINARY if binary else KEYS)
        text = meta(dice, key, binary) if binary or dice.random() < 0.5 else classic(dice, key)
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
        if answers[0][:2] == b"EX" and answers[1][:2] in (b"NF", b"NO") and b"TOKEN" in text:
            continue  # no token holds that the proxy has not given, whether the key is there or not
        if answers[0] != answers[1]:
            sys.exit("command %d, %r: the proxy says %r, memcached %r" % (number, text[:200], answers[0][:200],
                                                                        answers[1][:200]))
    for side in (proxy, server):
        for key in KEYS:
            side.ask(b"delete %s\r\n" % key)
        for key in BINARY:
            side.ask(b"md %s b\r\n" % key)
    print("%d commands, the same answers" % count)


main()
