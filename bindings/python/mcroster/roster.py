"""A cluster's list, mapped, and the plans that it gives: mcroster.h in Python's words.

A Roster may be shared by threads: each has a reader of its own behind it.  A Plan belongs to the
thread that made it.
"""
from __future__ import annotations

import ctypes
import enum
import os
import threading
from ctypes import byref, c_uint32, c_void_p
from dataclasses import dataclass
from types import TracebackType
from typing import List, Optional, Tuple, Type

from . import library
from .library import lib


class RosterError(Exception):
    """What libmcroster answered: ``code`` is its enum mcr_error."""

    def __init__(self, code: int, what: str = "") -> None:
        text = lib.mcr_strerror(code).decode()
        if code == -16:
            text += f": {os.strerror(ctypes.get_errno())}"
        super().__init__(f"{what}: {text}" if what else text)
        self.code = code


class Op(enum.IntEnum):
    """What the caller wants to do."""
    GET, SET, ADD, UPDATE, APPEND, DELETE, TOUCH = range(7)


class Phase(enum.IntEnum):
    """How far a change of the list has come.  Callers carry out plans and can leave it to them."""
    STEADY, PREPARE, COPY, SWITCH, SETTLE, DRAIN, GIVEUP, UNWIND = range(8)


class Send(enum.IntEnum):
    """What a step sends."""
    READ, WRITE, SET, DELETE = range(4)


class Answer(enum.IntEnum):
    """What the caller is told in the end."""
    RESULT, NOT_STORED, READ = range(3)


class End(enum.IntEnum):
    """What became of a plan: it held; it held, but a newer generation is out; it took too long."""
    OK, NEWER, REPEAT = range(3)


@dataclass(frozen=True)
class Server:
    """A memcached of the list.  ``id`` is the same for the same name and address in every
    generation: connections are kept by it."""
    name: str
    address: str
    weight: int
    in_old: bool
    in_new: bool
    id: int

    @property
    def host_port(self) -> Tuple[str, int]:
        """The address as a socket wants it."""
        host, _, port = self.address.rpartition(":")
        return host.strip("[]"), int(port)


@dataclass(frozen=True)
class Step:
    """One step of a plan."""
    server: Server
    send: Send
    empty_is_miss: bool


@dataclass(frozen=True)
class Info:
    """A snapshot of what the segment says of itself."""
    generation: int
    phase: Phase
    epoch: int
    next_epoch: int
    server_count: int
    op_timeout_ms: int
    heartbeat: int
    lease_deadline_ns: int
    list_hash: bytes
    next_hash: bytes


def _info_of(raw: library.Info) -> Info:
    return Info(raw.generation, Phase(raw.phase), raw.epoch, raw.next_epoch, raw.server_count,
                raw.op_timeout_ms, raw.heartbeat, raw.lease_deadline_ns, bytes(raw.list_hash),
                bytes(raw.next_hash))


def _server_of(raw: library.Server) -> Server:
    return Server(raw.name.decode(), raw.address.decode(), raw.weight, bool(raw.in_old),
                  bool(raw.in_new), raw.id)


class _Reader:
    """struct mcr_reader, and the servers that it has copied out of its last generation."""

    def __init__(self, mcr: c_void_p) -> None:
        self.pointer = c_void_p()
        self.thread = 0  # whose it is
        self.generation = 0
        self.servers: dict = {}
        error = lib.mcr_reader_new(mcr, byref(self.pointer))
        if error:
            raise RosterError(error)

    def server(self, raw: library.Plan, number: int) -> Server:
        if raw.generation != self.generation:
            self.servers.clear()
            self.generation = raw.generation
        if number not in self.servers:
            out = library.Server()
            error = lib.mcr_server(self.pointer, byref(raw), number, byref(out))
            if error:
                raise RosterError(error)
            self.servers[number] = _server_of(out)
        return self.servers[number]


class Plan:
    """One operation on one key: what is to be sent where.  It is ended exactly once, by ``end`` or by
    the end of a ``with`` block."""

    def __init__(self, reader: _Reader, raw: library.Plan, key: bytes) -> None:
        self._reader, self._raw, self.key = reader, raw, key
        self._end: Optional[End] = None
        try:
            self.steps: List[Step] = [
                Step(reader.server(raw, step.server), Send(step.send), bool(step.empty_is_miss))
                for step in raw.step[:raw.step_count]]
            self.owner: Server = reader.server(raw, raw.owner)
        except BaseException:
            self.end()
            raise

    @property
    def generation(self) -> int:
        """By which it was made."""
        return self._raw.generation

    @property
    def phase(self) -> Phase:
        """Of that generation, also if this key stays."""
        return Phase(self._raw.phase)

    @property
    def answer(self) -> Answer:
        """What the caller is told."""
        return Answer(self._raw.answer)

    def check(self) -> bool:
        """Before each step.  False: it is too late, send it no more."""
        return lib.mcr_check(self._reader.pointer, byref(self._raw)) == library.OK

    def end(self) -> End:
        """After the last reply, also if nothing was sent.  Asked again it says the same."""
        if self._end is None:
            self._end = End(lib.mcr_end(self._reader.pointer, byref(self._raw)))
        return self._end

    def owe(self, step: int, timeout: float) -> None:
        """Hands the key to the agent, which deletes it: its step number ``step`` could not be
        delivered.  RosterError: the agent has not taken it, the operation has failed."""
        error = lib.mcr_owe(self._reader.pointer, byref(self._raw), step, self.key, len(self.key),
                            int(timeout * 1000))
        if error:
            raise RosterError(error, "owe")

    def __enter__(self) -> "Plan":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.end()


class Roster:
    """A cluster's segment.  ``cluster`` is its name, or with a leading ``/`` the segment's."""

    def __init__(self, cluster: str, strict: bool = False, observe: bool = False) -> None:
        self._mcr = c_void_p()
        self._local = threading.local()
        self._readers: List[_Reader] = []
        self._lock = threading.Lock()
        flags = (library.STRICT if strict else 0) | (library.OBSERVE if observe else 0)
        error = lib.mcr_open(cluster.encode(), flags, byref(self._mcr))
        if error:
            raise RosterError(error, cluster)

    def close(self) -> None:
        """Unmaps it.  No thread may be using it."""
        with self._lock:
            for reader in self._readers:
                lib.mcr_reader_free(reader.pointer)
            self._readers.clear()
            self._local = threading.local()
            mcr, self._mcr = self._mcr, c_void_p()
        lib.mcr_close(mcr)

    def __enter__(self) -> "Roster":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _reader(self) -> _Reader:
        reader: Optional[_Reader] = getattr(self._local, "reader", None)
        if reader is None:
            if not self._mcr:
                raise ValueError("the roster is closed")
            with self._lock:
                # Readers of threads that have ended are used again; a new one may have the ident
                # of one of those.
                alive = {thread.ident for thread in threading.enumerate()}
                alive.discard(threading.get_ident())
                for other in self._readers:
                    if other.thread not in alive:
                        reader = other
                        break
                else:
                    reader = _Reader(self._mcr)
                    self._readers.append(reader)
                reader.thread = threading.get_ident()
            self._local.reader = reader
        return reader

    def plan(self, op: Op, key: bytes) -> Plan:
        """Plans an operation on a key.  To be ended."""
        if not isinstance(key, bytes):
            raise TypeError(f"a key is bytes, not {type(key).__name__}")
        reader, raw = self._reader(), library.Plan()
        for _ in range(4):
            error = lib.mcr_begin(reader.pointer, op, key, len(key), byref(raw))
            if not error:
                try:
                    return Plan(reader, raw, key)
                except RosterError as stale:
                    error = stale.code
            if error != library.STALE:
                break
        raise RosterError(error)

    def wait(self, generation: Optional[int] = None, timeout: Optional[float] = None) -> bool:
        """Sleeps until the generation is another one than ``generation`` (None: than the present
        one).  False: it has not changed within ``timeout`` seconds (None: for ever)."""
        if generation is None:
            generation = self._generation()
        error = lib.mcr_wait(self._mcr, generation, -1 if timeout is None else int(timeout * 1000))
        if error == library.TIMED_OUT:
            return False
        if error:
            raise RosterError(error)
        return True

    def _generation(self) -> int:
        try:
            return self.info().generation
        except RosterError as error:
            if error.code != library.NOT_READY:
                raise
            return 0

    def info(self) -> Info:
        """What the segment says of itself."""
        raw = library.Info()
        error = lib.mcr_info(self._mcr, byref(raw))
        if error:
            raise RosterError(error)
        return _info_of(raw)

    def servers(self) -> List[Server]:
        """Of the newest generation, by their numbers."""
        capacity = 64
        while True:
            raw = (library.Server * capacity)()
            count = lib.mcr_servers(self._reader().pointer, None, raw, capacity)
            if count < 0:
                raise RosterError(count)
            if count <= capacity:
                return [_server_of(server) for server in raw[:count]]
            capacity = count

    def owners(self, key: bytes) -> Tuple[Server, Server]:
        """A key's owners before and after the change.  For tools: what may be sent where a plan
        says."""
        old, new = c_uint32(), c_uint32()
        reader = self._reader()
        error = lib.mcr_owner(reader.pointer, key, len(key), byref(old), byref(new))
        if error:
            raise RosterError(error)
        found = []
        for number in (old, new):
            out = library.Server()
            error = lib.mcr_server(reader.pointer, None, number.value, byref(out))
            if error:
                raise RosterError(error)
            found.append(_server_of(out))
        return found[0], found[1]

    def register(self, timeout: float = 0) -> None:
        """Registers this process with the agent where it is not.  RosterError: why it is not."""
        error = lib.mcr_register(self._mcr, int(timeout * 1000))
        if error:
            raise RosterError(error, "register")

    def fileno(self) -> int:
        """For an event loop: readable when ``service`` has something to do."""
        fd = lib.mcr_fd(self._mcr)
        if fd < 0:
            raise RosterError(fd)
        return fd

    def service(self) -> None:
        """Answers the agent for the newest generation; registers again where that is needed."""
        error = lib.mcr_service(self._mcr)
        if error:
            raise RosterError(error, "service")
