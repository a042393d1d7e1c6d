#!/usr/bin/python3
"""Where secrets stand in the memory of a process, its arguments and environment included.
memory.py PID NAME=FILE... 9</proc/PID/mem
FILE is a key of mcadmin's (looked for as text and as bytes) or has a passphrase.  A line for each place:
NAME `kept` (no core dump has it) or NAME `dumped`."""
import base64
import os
import re
import sys

LARGEST = 1 << 30  # what a sanitizer knows of memory is larger, and none of it


def needles(name, path):
    with open(path, "rb") as file:
        text = file.read().strip()
    yield name, text
    try:
        yield name, base64.b64decode(text.split()[-1], validate=True)[:32]
    except ValueError:
        pass


def mappings(pid):
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as smaps:
        for line in smaps:
            begin = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r?)", line)
            if begin:
                start, end = int(begin[1], 16), int(begin[2], 16)
                readable = begin[3] and "[v" not in line
            elif line.startswith("VmFlags:") and readable and end - start <= LARGEST:
                yield start, end - start, " dd" not in line


wanted = [n for argument in sys.argv[2:] for n in needles(*argument.split("=", 1))]
looked_at = 0
for start, size, dumped in mappings(sys.argv[1]):
    try:
        memory = os.pread(9, size, start)
    except OSError:
        continue  # unmapped meanwhile
    looked_at += len(memory)
    for name, needle in wanted:
        for _ in range(memory.count(needle)):
            print(name, "dumped" if dumped else "kept")
if looked_at < 1 << 20:
    sys.exit(f"only {looked_at} bytes of {sys.argv[1]} could be read")
