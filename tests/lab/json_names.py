#!/usr/bin/python3
"""Judges a JSON answer of mcadmin by docs/json.md: json_names.py json.md COMMAND FILE [MEMBER...]

The last line of FILE is one value with all of the MEMBERs, and every name in it, at any depth, stands in
the section of COMMAND, or in one of a command that the section names.  Prints what is wrong.
"""
import json
import re
import sys


def sections(text):
    """The commands of each heading, and what stands below it."""
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        heading, _, body = part.partition("\n")
        yield set(re.split(r"[,;] | in ", heading.replace("`", ""))), set(re.findall(r"`([a-z_0-9]+)`", body))


def names(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names(inner)


def documented(text, command):
    every = list(sections(text))
    own = [body for commands, body in every if command in commands]
    if not own:
        sys.exit(f"there is no section of {command}")
    words = set().union(*own)
    return words.union(*(body for commands, body in every if words & commands))


def main():
    manual, command, path, *members = sys.argv[1:]
    found = json.loads(open(path, encoding="utf-8").read().splitlines()[-1])
    known = documented(open(manual, encoding="utf-8").read(), command)
    top = found[0] if isinstance(found, list) else found
    for name in members:
        if name not in top:
            print("no", name)
    for name in sorted(set(names(found))):
        if name not in known:
            print(f"{command}: {name} is not documented")


main()
