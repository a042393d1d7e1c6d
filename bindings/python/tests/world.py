"""Two servers and an agent for the tests: a segment written by hand, as docs/segment.md tells it,
whose keys are server 0's before the change and, half of them, server 1's after it; real memcacheds,
or played ones where a test needs to see how a connection ends."""
from __future__ import annotations

import mmap
import os
import select
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from typing import Callable, Dict, List, Optional

HEADER, SLOT, RING = 448, 2048, 4
SERVERS_AT, STRIDE, OLD_AT, NEW_AT, SLOTS = 256, 192, 1024, 1056, 16
PHASES = ["STEADY", "PREPARE", "COPY", "SWITCH", "SETTLE", "DRAIN", "GIVEUP", "UNWIND"]
FOR_EVER = 2**64 - 1
OWED, REFUSED, FULL = 19, 17, 6


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.002)


class Segment:
    """The agent's side of a segment."""

    def __init__(self, op_timeout_ms: int, name: str = "") -> None:
        self.op_timeout_ms = op_timeout_ms
        self.name = name or f"/mcroster.python.{os.getpid()}.{id(self)}"
        self.path = "/dev/shm" + self.name
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        os.fchmod(self.file, 0o644)
        os.ftruncate(self.file, HEADER + RING * SLOT)
        self.map = mmap.mmap(self.file, HEADER + RING * SLOT)
        self.map[0:40] = struct.pack("=8sIIIIQ8s", b"mcroster", 2, HEADER, SLOT, RING,
                                     HEADER + RING * SLOT, b"python")
        self.generation = 0

    def put(self, at: int, form: str, *values: object) -> None:
        self.map[at:at + struct.calcsize(form)] = struct.pack(form, *values)

    def publish(self, phase: str, addresses: List[str], retire_ns: int = FOR_EVER,
                first_id: int = 1000, count: int = 2) -> None:
        """The next generation; plans of the one before are over at retire_ns."""
        g = self.generation + 1
        at = HEADER + g % RING * SLOT
        moving = phase != "STEADY"
        self.map[at:at + SLOT] = bytes(SLOT)
        self.put(at, "=IIIIIIIII", g, PHASES.index(phase), 0, self.op_timeout_ms, count, STRIDE, SERVERS_AT,
                 0, SLOT)
        self.put(at + 48, "=QQ", 41, 42 if moving else 0)
        for table, where in ((192, OLD_AT), (224, NEW_AT)):
            self.put(at + table, "=IIIIII", 1, 1, SLOTS, 4, where, 0)
        for i, address in enumerate(addresses):
            self.put(at + SERVERS_AT + i * STRIDE, "=64s112sQII", b"cache%d" % i, address.encode(),
                     first_id + i if i else 1000, 1, 2 if i else 3)
        for slot in range(SLOTS):
            self.put(at + NEW_AT + slot * 2, "=H", slot & 1 if moving else 0)
        self.put(192 + g % RING * 16, "=QQ", g * 1000, retire_ns)
        self.put(256, "=I", g)
        self.generation = g

    def clients_at(self, path: str) -> None:
        self.put(320, "=128s", path.encode())

    def close(self) -> None:
        self.map.close()
        os.close(self.file)
        os.unlink(self.path)


def free_socket() -> socket.socket:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    return listening


class Memcached:
    """A real one."""

    def __init__(self) -> None:
        with free_socket() as listening:
            self.port = listening.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        user = ["-u", "root"] if os.getuid() == 0 else []
        self.process = subprocess.Popen(["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U",
                                         "0", "-m", "64", "-t", "1", *user],
                                        env={"PATH": os.environ["PATH"]})
        wait_for(self.answers, "memcached")

    def answers(self) -> bool:
        try:
            return self.ask(b"version\r\n").startswith(b"VERSION")
        except OSError:
            return False

    def ask(self, command: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(command)
            answer = b""
            while not answer.endswith(b"\r\n") or answer.startswith(b"VALUE") and \
                    not answer.endswith(b"END\r\n"):
                answer += connection.recv(65536)
            return answer

    def at(self, key: bytes) -> Optional[bytes]:
        """What lies there."""
        answer = self.ask(b"get %s\r\n" % key)
        return None if answer == b"END\r\n" else answer.split(b"\r\n", 1)[1][:-7]

    def put(self, key: bytes, value: Optional[bytes]) -> None:
        self.ask(b"delete %s\r\n" % key if value is None else
                 b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Played:
    """A server of one connection at a time that answers as it is told: ``answer`` is given each
    command's first line and gives what is sent (bytes, or an iterator of pieces), None for nothing
    at all, "reset" to break off."""

    def __init__(self, answer: Callable[[bytes], object]) -> None:
        self.listening = free_socket()
        self.listening.listen()
        self.address = "127.0.0.1:%d" % self.listening.getsockname()[1]
        self.answer, self.said, self.connections = answer, [], 0
        self.resets: List[bool] = []
        self.quit = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        while not self.quit:
            if not select.select([self.listening], [], [], 0.02)[0]:
                continue
            connection, _ = self.listening.accept()
            self.connections += 1
            with connection:
                self.serve(connection)

    def serve(self, connection: socket.socket) -> None:
        data = b""
        while not self.quit:
            if not select.select([connection], [], [], 0.02)[0]:
                continue
            try:
                got = connection.recv(65536)
            except ConnectionResetError:
                self.resets.append(True)
                return
            if not got:
                self.resets.append(False)
                return
            data += got
            while b"\r\n" in data:
                line, data = data.split(b"\r\n", 1)
                if line.split()[0] in (b"set", b"add", b"replace", b"cas"):
                    size = int(line.split()[4])
                    while len(data) < size + 2:
                        data += connection.recv(65536)
                    data = data[size + 2:]
                self.said.append(line)
                answer = self.answer(line)
                if answer == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                          struct.pack("ii", 1, 0))
                    return
                try:
                    for piece in [answer] if isinstance(answer, bytes) else answer or []:
                        connection.sendall(piece)
                except OSError:
                    self.resets.append(True)
                    return

    def close(self) -> None:
        self.quit = True
        self.thread.join()
        self.listening.close()


class Agent:
    """Where keys are owed: each is answered so."""

    def __init__(self, segment: Segment, kind: int = OWED, code: int = 0) -> None:
        self.directory = tempfile.mkdtemp()
        self.path = os.path.join(self.directory, "clients")
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listening.bind(self.path)
        self.listening.listen()
        self.answer = struct.pack("=IIQIIII64s", kind, 1, 0, 0, code, 0, 0, b"")
        self.owed: List[Dict[str, bytes]] = []
        self.quit = False
        segment.clients_at(self.path)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        while not self.quit:
            if not select.select([self.listening], [], [], 0.02)[0]:
                continue
            connection, _ = self.listening.accept()
            with connection:
                got = connection.recv(1024)
                if len(got) == 528:
                    size = struct.unpack_from("=I", got, 20)[0]
                    self.owed.append({"server": got[96:160].rstrip(b"\0"),
                                      "key": got[272:272 + size]})
                    connection.sendall(self.answer)

    def close(self) -> None:
        self.quit = True
        self.thread.join()
        self.listening.close()
        os.unlink(self.path)
        os.rmdir(self.directory)
