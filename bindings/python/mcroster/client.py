"""RosterClient: pymemcache's interface, every operation by a plan (mcroster.h).

It keeps the rules that are the sender's: the steps in their order, each when the one before has been
answered or has failed, none after the plan's deadline; an operation within op-timeout; a connection
that timed out closed by a reset, so that the command cannot follow; and a write whose older value
could not be removed made good by deletes, or handed to the agent, before it counts as done.

May be shared by threads: each has connections of its own.  A child after a fork makes its own.
"""
from __future__ import annotations

import os
import socket
import struct
import threading
import time
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Union

from pymemcache.client.base import Client, check_key_helper
from pymemcache.exceptions import (MemcacheClientError, MemcacheError, MemcacheIllegalInputError,
                                   MemcacheServerError)
from pymemcache.serde import LegacyWrappingSerde

from . import library
from .roster import Answer, End, Op, Phase, Plan, Roster, RosterError, Send, Server

Key = Union[str, bytes]

# How often an operation is planned again before it is an error: each time needs a generation to come
# out meanwhile.
PLANS_MAX = 4
# The part of op-timeout that is kept for each step that is still to come.
STEP_SHARES = 8
# For answers that have come while another server was waited for, in seconds.
GRACE = 0.01
# For how many op-timeouts deletes that a write still owes are tried again where no agent answers.
RETRY_OP_TIMEOUTS = 10
RETRY_PAUSE_MAX = 0.1


class OwedError(MemcacheError):
    """A write of which an older value could not be removed: the agent is going to remove it."""


class IncompleteError(MemcacheError):
    """A write of which an older value could not be removed, and may be read: it has failed."""


class CasToken(bytes):
    """A version of a value, as pymemcache gives it, bound to the server that gave it."""
    server_id: int

    def __new__(cls, cas: bytes, server_id: int) -> "CasToken":
        token = super().__new__(cls, cas)
        token.server_id = server_id
        return token


class _RawSerde:
    """Between RosterClient and a connection values go with their flags, as they are stored."""

    @staticmethod
    def serialize(_key: bytes, value: Tuple[bytes, int]) -> Tuple[bytes, int]:
        return value

    @staticmethod
    def deserialize(_key: bytes, value: bytes, flags: int) -> Tuple[bytes, int]:
        return value, flags


class _Socket:
    """A connection's socket, with a deadline for all that is waited for on it together."""

    def __init__(self, connected: socket.socket) -> None:
        self.connected = connected
        self.until = 0.0
        self.asked = False  # the next command is on its way already

    def _wait(self) -> None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        self.connected.settimeout(left)

    def sendall(self, command: bytes) -> None:
        if self.asked:
            self.asked = False
            return
        self._wait()
        self.connected.sendall(command)

    def recv(self, size: int) -> bytes:
        self._wait()
        return self.connected.recv(size)

    def close(self) -> None:
        self.connected.close()


class _Connection(Client):
    """One server.  Whatever goes wrong on it closes it, by a reset."""
    sock: Any

    def __init__(self, server: Server, **options: Any) -> None:
        super().__init__(server.host_port, serde=_RawSerde(), no_delay=True, default_noreply=False,
                         **options)

    def _connect(self) -> None:
        super()._connect()
        # What a time-out left in the kernel's queue must not reach the server when the network is
        # back.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock = _Socket(self.sock)

    def __del__(self) -> None:
        self.close()

    def call(self, timeout: float, method: str, *arguments: Any, **options: Any) -> Any:
        try:
            self._open(timeout)
            return getattr(self, method)(*arguments, **options)
        except BaseException:
            self.close()
            raise

    def ask(self, timeout: float, keys: List[bytes]) -> None:
        """Sends a ``gets_many``: the call of the same takes the answer."""
        try:
            self._open(timeout)
            self.sock.sendall(b"gets " + b" ".join(keys) + b"\r\n")
            self.sock.asked = True
        except BaseException:
            self.close()
            raise

    def _open(self, timeout: float) -> None:
        until, connected = time.monotonic() + timeout, self.sock is not None
        if not connected:
            self.timeout = self.connect_timeout = timeout
            self._connect()
        self.sock.until = until


class _Run:
    """A plan under way, and the time that it has."""

    def __init__(self, client: "RosterClient", op: Op, key: bytes) -> None:
        self.begun = time.monotonic()
        self.client = client
        self.plan: Plan = client.roster.plan(op, key)
        try:
            self.op_timeout = client._op_timeout(self.plan.generation)
        except BaseException:
            self.plan.end()
            raise

    def timeout(self, step: int) -> float:
        """What is left of op-timeout, less a share for each step behind this one."""
        share = self.op_timeout / STEP_SHARES
        left = self.op_timeout - (time.monotonic() - self.begun)
        behind = share * (len(self.plan.steps) - 1 - step)
        if left > behind + share:
            return left - behind
        return max(min(left, share), 0.001)

    def call(self, step: int, method: str, *arguments: Any, **options: Any) -> Any:
        connection = self.client._connection(self.plan.steps[step].server)
        return connection.call(self.timeout(step), method, *arguments, **options)


class _Look:
    """One of many reads, until its answer is final."""
    __slots__ = ("key", "run", "step", "error", "found", "late", "missed_before", "value")

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.missed_before = False

    def begin(self, client: "RosterClient") -> None:
        self.run = _Run(client, Op.GET, self.key)
        self.step = 0
        self.error: Optional[Exception] = None
        self.found = self.late = False
        self.value: Any = None

    def asks(self) -> bool:
        """Has it a next step?"""
        plan = self.run.plan
        if self.found or self.late or self.step == len(plan.steps):
            return False
        if plan.steps[self.step].send != Send.READ:
            return False
        self.late = not plan.check()
        return not self.late

    def answered(self, answer: Optional[tuple]) -> None:
        """``answer``: ((value, flags), cas), or None for a miss."""
        step = self.run.plan.steps[self.step]
        if answer is not None and (answer[0][0] or not step.empty_is_miss):
            self.found = True
            self.value = answer[0], CasToken(answer[1], step.server.id)
        else:
            self.step += 1

    def failed(self, error: Exception) -> None:
        self.error = error
        self.step += 1

    def final(self) -> bool:
        """Its plan has been carried out: is that its answer?"""
        end = self.run.plan.end()
        if end == End.REPEAT or self.late:
            return False
        if not self.found and self.error is None and end == End.NEWER and not self.missed_before:
            self.missed_before = True
            return False
        return True


class _Write:
    """What became of the writes of one plan."""

    def __init__(self) -> None:
        self.sent = 0
        self.own_sent = False
        self.error: Optional[Exception] = None  # the outcome is unknown
        self.undelivered: Optional[int] = None  # a step that the operation is not complete without
        self.result: Any = None
        self.answered = False


class RosterClient:
    """A client of a cluster, with the interface of ``pymemcache.client.base.Client``.

    ``roster`` is a Roster, or a cluster's name.  The options are pymemcache's.  What differs:

    * ``noreply`` is taken and has no effect: a write whose reply nobody waits for cannot be made
      good.
    * A write can end in OwedError or IncompleteError (both MemcacheError), and every operation in
      RosterError where there is no plan.  Any other error of a write: whether it took effect is
      unknown.
    * RosterError with the code ``mcroster.library.MOVED``: the segment was replaced (an agent of
      another version); make a new client.
    * ``gets`` gives tokens that are bound to their server; ``cas`` takes no others.
    * A lock built on ``add`` is not exclusive while its key moves; ``append``, ``prepend`` and
      ``incr`` may miss then, and ``touch`` leaves the expiry as it was.
    * ``stats``, ``version`` and the like are a server's, not a cluster's: see ``roster.servers()``.
    """

    def __init__(self, roster: Union[Roster, str], serde: Any = None, serializer: Any = None,
                 deserializer: Any = None, ignore_exc: bool = False, key_prefix: Key = b"",
                 default_noreply: bool = True, allow_unicode_keys: bool = False,
                 encoding: str = "ascii", socket_keepalive: Any = None) -> None:
        self._owns_roster = isinstance(roster, str)
        self.roster: Roster = Roster(roster) if isinstance(roster, str) else roster
        self.serde = serde or LegacyWrappingSerde(serializer, deserializer)
        self.ignore_exc = ignore_exc
        self.key_prefix = key_prefix.encode("ascii") if isinstance(key_prefix, str) else key_prefix
        self.default_noreply = default_noreply
        self.allow_unicode_keys = allow_unicode_keys
        self.encoding = encoding
        self._options = {"encoding": encoding, "socket_keepalive": socket_keepalive}
        self._local = threading.local()
        self._timeout: Tuple[int, float] = (0, 0.0)

    # ---- its life ----

    def close(self) -> None:
        """Closes this thread's connections, and the roster if it was opened here.  The next use of
        a connection opens it again."""
        for connection in getattr(self._local, "connections", {}).values():
            connection.close()
        if self._owns_roster:
            self.roster.close()

    quit = disconnect_all = close

    def __enter__(self) -> "RosterClient":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _connection(self, server: Server) -> _Connection:
        local = self._local
        if getattr(local, "pid", None) != os.getpid():
            local.pid, local.connections = os.getpid(), {}
        connection: Optional[_Connection] = local.connections.get(server.id)
        if connection is None:
            if len(local.connections) > 4096:  # of servers that have left
                for old in local.connections.values():
                    old.close()
                local.connections.clear()
            connection = local.connections[server.id] = _Connection(server, **self._options)
        return connection

    def _op_timeout(self, generation: int) -> float:
        known, seconds = self._timeout
        if known != generation:
            seconds = self.roster.info().op_timeout_ms / 1000
            self._timeout = generation, seconds
        return seconds

    # ---- keys and values ----

    def check_key(self, key: Key) -> bytes:
        """The key as it is stored; MemcacheIllegalInputError: it is not one."""
        name = check_key_helper(key, self.allow_unicode_keys, self.key_prefix)
        if not name:
            raise MemcacheIllegalInputError("Key is empty")
        return name

    def _pack(self, key: bytes, value: Any, flags: Optional[int]) -> Tuple[bytes, int]:
        data, own_flags = self.serde.serialize(key, value)
        if not isinstance(data, bytes):
            try:
                data = str(data).encode(self.encoding)
            except UnicodeEncodeError as error:
                raise MemcacheIllegalInputError(f"Data values must be binary-safe: {error}")
        return data, own_flags if flags is None else flags

    # ---- reads ----

    def _exchange(self, looks: List[_Look]) -> None:
        """One step of each: one request for each server, and all of them are sent before the first
        answer is waited for."""
        until = time.monotonic() + min(look.run.timeout(look.step) for look in looks)
        asked: Dict[int, List[_Look]] = {}
        for look in looks:
            asked.setdefault(look.run.plan.steps[look.step].server.id, []).append(look)
        groups = [(self._connection(group[0].run.plan.steps[group[0].step].server),
                   list(dict.fromkeys(look.key for look in group)), group)
                  for group in asked.values()]
        # Those that are connected first: a server that lets itself be waited for holds up nobody's
        # question.  For the others the time is divided.
        groups.sort(key=lambda group: group[0].sock is None)
        waiting = []
        try:
            for i, (connection, keys, group) in enumerate(groups):
                left = max(until - time.monotonic(), GRACE)
                try:
                    connection.ask(left / (len(groups) - i) if connection.sock is None else left,
                                   keys)
                except Exception as error:  # it is the answer of each
                    for look in group:
                        look.failed(error)
                else:
                    waiting.append((connection, keys, group))
            while waiting:
                connection, keys, group = waiting[0]
                try:
                    answers = connection.call(max(until - time.monotonic(), GRACE), "gets_many",
                                              keys)
                except Exception as error:
                    for look in group:
                        look.failed(error)
                else:
                    for look in group:
                        look.answered(answers.get(look.key))
                del waiting[0]
        finally:
            for connection, _, _ in waiting:
                connection.close()

    def _read(self, keys: Iterable[bytes]) -> Dict[bytes, _Look]:
        looks = {key: _Look(key) for key in keys}
        open_looks = list(looks.values())
        for _ in range(PLANS_MAX):
            begun: List[_Look] = []
            try:
                for look in open_looks:
                    look.begin(self)
                    begun.append(look)
                while True:
                    asking = [look for look in open_looks if look.asks()]
                    if not asking:
                        break
                    self._exchange(asking)
            finally:
                for look in begun:
                    look.run.plan.end()
            open_looks = [look for look in open_looks if not look.final()]
            if not open_looks:
                break
        for look in open_looks:
            look.error = RosterError(library.STALE)
            look.found = False
        return looks

    def _get(self, keys: Iterable[Key]) -> Dict[Key, Tuple[Any, CasToken]]:
        names = {key: self.check_key(key) for key in keys or ()}
        looks = self._read(names.values())
        found = {}
        for key, name in names.items():
            look = looks[name]
            if look.found:
                (data, flags), token = look.value
                found[key] = self.serde.deserialize(name, data, flags), token
            elif look.error is not None:
                raise look.error
        return found

    def _get_safely(self, keys: Iterable[Key]) -> Dict[Key, Tuple[Any, CasToken]]:
        try:
            return self._get(keys)
        except Exception:
            if self.ignore_exc:
                return {}
            raise

    def get(self, key: Key, default: Any = None) -> Any:
        """The value, or ``default``."""
        return self._get_safely([key]).get(key, (default, None))[0]

    def gets(self, key: Key, default: Any = None, cas_default: Any = None) -> Tuple[Any, Any]:
        """The value and its token for ``cas``, or the defaults."""
        return self._get_safely([key]).get(key, (default, cas_default))

    def get_many(self, keys: Iterable[Key]) -> Dict[Key, Any]:
        """Those that are there.  A server's failure is raised, also where others have answered."""
        return {key: value for key, (value, _) in self._get_safely(keys).items()}

    def gets_many(self, keys: Iterable[Key]) -> Dict[Key, Tuple[Any, CasToken]]:
        """The same with their tokens."""
        return self._get_safely(keys)

    get_multi = get_many

    # ---- making good ----

    def _delete_by_plan(self, key: bytes, touched: Dict[int, Server]) -> bool:
        """A delete by the rule of the present phase.  True: all of it was delivered in time."""
        try:
            run = _Run(self, Op.DELETE, key)
        except RosterError:
            return False
        delivered = True
        with run.plan:
            for i in range(len(run.plan.steps)):
                if not run.plan.check():
                    delivered = False
                    break
                try:
                    run.call(i, "delete", key)
                except Exception:
                    delivered = False
        if run.plan.end() == End.REPEAT:
            touched.update((step.server.id, step.server) for step in run.plan.steps)
            return False
        return delivered

    def _delete_all(self, key: bytes, touched: Dict[int, Server], op_timeout: float) -> bool:
        """At the servers in ``touched``, then by the rule of the present phase."""
        for server in list(touched.values()):
            try:
                self._connection(server).call(op_timeout, "delete", key)
            except Exception:
                return False
            del touched[server.id]
        return self._delete_by_plan(key, touched)

    def _make_good(self, run: _Run, step: int, touched: Dict[int, Server]) -> None:
        """A write was not carried out whole, step ``step`` for one.  OwedError, IncompleteError."""
        key, op_timeout = run.plan.key, run.op_timeout
        until = time.monotonic() + RETRY_OP_TIMEOUTS * op_timeout
        pause = 0.001
        if self._delete_all(key, touched, op_timeout):
            return
        try:
            run.plan.owe(step, op_timeout)
        except RosterError as error:
            refused = error
        else:
            raise OwedError("an older value could not be removed: the agent owes that")
        # The agent's no is an answer; where there is none the caller is on its own.
        while refused.code not in (library.FULL, library.NOT_STORED) and time.monotonic() < until:
            time.sleep(pause)
            pause = min(pause * 2, RETRY_PAUSE_MAX)
            if self._delete_all(key, touched, op_timeout):
                return
        raise IncompleteError(f"an older value could not be removed: {refused}")

    # ---- writes ----

    def _write_steps(self, run: _Run, first: int, op: Op, own: Callable[[int], Any],
                     plain_set: Callable[[int], Any]) -> _Write:
        """Steps from ``first`` on.  ``own`` sends the caller's command, ``plain_set`` a set."""
        written, plan = _Write(), run.plan
        for i in range(first, len(plan.steps)):
            send = plan.steps[i].send
            is_own = op == Op.DELETE or send != Send.DELETE
            if not plan.check():
                written.undelivered = i
                break
            written.sent += 1
            written.own_sent |= is_own
            try:
                if send == Send.DELETE:
                    result = run.call(i, "delete", plan.key)
                else:
                    result = own(i) if send == Send.WRITE else plain_set(i)
            except Exception as error:
                # The first step's failure is the caller's: the outcome is unknown, and he is told.
                # A delete is no use to him by halves.
                if written.sent == 1 or is_own:
                    written.error = error
                if written.sent > 1 or op == Op.DELETE:
                    written.undelivered = i
            except BaseException:
                # Somebody ends the program, or this thread's work: what is left to be deleted is
                # the agent's, if he takes it.
                plan.end()
                if any(step.send == Send.DELETE for step in plan.steps[i:]):
                    try:
                        plan.owe(i, run.op_timeout)
                    except RosterError:
                        pass
                raise
            else:
                if is_own:
                    # A delete has found the key when one of its servers had it.
                    if not written.answered or (op == Op.DELETE and result):
                        written.result = result
                    written.answered = True
        return written

    def _head(self, run: _Run) -> _Look:
        """The reads at the head of a plan, an add's or a touch's."""
        look = _Look(run.plan.key)
        look.run, look.step, look.error = run, 0, None
        look.found = look.late = False
        look.value = None
        while look.asks():
            self._exchange([look])
        return look

    def _has(self, run: _Run, step: int) -> Optional[bool]:
        """Whether the step's server has a value (no reservation); None: that is not known."""
        try:
            found = run.call(step, "get", run.plan.key)
        except Exception:
            return None
        return found is not None and found[0] != b""

    def _gone(self, run: _Run) -> bool:
        """Has the value gone from where a cas is sent, to where the plan deletes?  The cas would be
        refused, and the value be lost all the same."""
        sends = [step.send for step in run.plan.steps]
        return (sorted(sends) == sorted((Send.WRITE, Send.DELETE)) and
                self._has(run, sends.index(Send.WRITE)) is False and
                self._has(run, sends.index(Send.DELETE)) is True)

    def _write(self, op: Op, key: bytes, method: str, arguments: tuple, missed: Any,
               item: tuple = (), token: Optional[CasToken] = None) -> Any:
        """Carries a write out.  ``method`` and ``arguments`` are the caller's command; ``item`` is
        what a set stores in its place; ``missed`` is the answer of an update that finds nothing."""
        newer_before = False
        for _ in range(PLANS_MAX):
            run = _Run(self, op, key)
            plan = run.plan
            with plan:
                if token is not None and (plan.owner.id != token.server_id or self._gone(run)):
                    return False
                look = self._head(run)
                written = _Write()
                if not look.found and not look.late and look.error is None:
                    written = self._write_steps(
                        run, look.step, op, lambda i: run.call(i, method, key, *arguments),
                        lambda i: run.call(i, "set", key, *item))
            end = plan.end()
            if not written.sent:
                if end == End.REPEAT or look.late:
                    continue
                if look.error is not None:
                    raise look.error
                if plan.answer == Answer.READ:
                    if not look.found and end == End.NEWER and not newer_before:
                        newer_before = True
                        continue
                    return look.found
                if look.found:
                    return False
                continue
            touched: Dict[int, Server] = {}
            if end == End.REPEAT:
                touched = {step.server.id: step.server for step in plan.steps}
            if touched or written.undelivered is not None:
                try:
                    self._make_good(run, written.undelivered or 0, touched)
                except OwedError:
                    if written.error is not None and op != Op.DELETE:
                        raise written.error
                    raise
                if op == Op.DELETE:
                    return True
                if not written.own_sent and written.error is None:
                    continue
            if written.error is not None:
                # While the key moves it is a reservation that is no number: nothing is there.
                if (op == Op.UPDATE and method in ("incr", "decr") and len(plan.steps) > 1 and
                        type(written.error) is MemcacheClientError):
                    return missed
                raise written.error
            return False if plan.answer == Answer.NOT_STORED else written.result
        raise RosterError(library.STALE)

    def _store(self, op: Op, method: str, key: Key, value: Any, expire: int,
               flags: Optional[int]) -> bool:
        name = self.check_key(key)
        item = (self._pack(name, value, flags), expire, False)
        return bool(self._write(op, name, method, item, False, item))

    def set(self, key: Key, value: Any, expire: int = 0, noreply: Optional[bool] = None,
            flags: Optional[int] = None) -> bool:
        """True; or it raises."""
        return self._store(Op.SET, "set", key, value, expire, flags)

    def add(self, key: Key, value: Any, expire: int = 0, noreply: Optional[bool] = None,
            flags: Optional[int] = None) -> bool:
        """False: it is there."""
        return self._store(Op.ADD, "add", key, value, expire, flags)

    def replace(self, key: Key, value: Any, expire: int = 0, noreply: Optional[bool] = None,
                flags: Optional[int] = None) -> bool:
        """False: it is not there."""
        return self._store(Op.UPDATE, "replace", key, value, expire, flags)

    def append(self, key: Key, value: Any, expire: int = 0, noreply: Optional[bool] = None,
               flags: Optional[int] = None) -> bool:
        """False: it is not there, or was dropped, for its key moves."""
        return self._store(Op.APPEND, "append", key, value, expire, flags)

    def prepend(self, key: Key, value: Any, expire: int = 0, noreply: Optional[bool] = None,
                flags: Optional[int] = None) -> bool:
        """As append."""
        return self._store(Op.APPEND, "prepend", key, value, expire, flags)

    def cas(self, key: Key, value: Any, cas: CasToken, expire: int = 0, noreply: bool = False,
            flags: Optional[int] = None) -> Optional[bool]:
        """True; False: it is another value by now, or goes to another server; None: not there."""
        if not isinstance(cas, CasToken):
            raise MemcacheIllegalInputError("cas must be a token that gets gave")
        name = self.check_key(key)
        arguments = (self._pack(name, value, flags), bytes(cas), expire)
        return self._write(Op.UPDATE, name, "cas", arguments, None, token=cas)

    def incr(self, key: Key, value: int, noreply: Optional[bool] = False) -> Optional[int]:
        """The new value; None: not there."""
        return self._write(Op.UPDATE, self.check_key(key), "incr", (value,), None)

    def decr(self, key: Key, value: int, noreply: Optional[bool] = False) -> Optional[int]:
        """As incr."""
        return self._write(Op.UPDATE, self.check_key(key), "decr", (value,), None)

    def touch(self, key: Key, expire: int = 0, noreply: Optional[bool] = None) -> bool:
        """False: not there."""
        return bool(self._write(Op.TOUCH, self.check_key(key), "touch", (expire,), False))

    def delete(self, key: Key, noreply: Optional[bool] = None) -> bool:
        """False: it was not there."""
        return bool(self._write(Op.DELETE, self.check_key(key), "delete", (), False))

    def set_many(self, values: Dict[Key, Any], expire: int = 0, noreply: Optional[bool] = None,
                 flags: Optional[int] = None) -> List[Key]:
        """One after the other; the keys that are not stored, for whatever reason."""
        failed = []
        for key, value in values.items():
            try:
                stored = self.set(key, value, expire, noreply, flags)
            except (MemcacheError, RosterError, OSError):
                stored = False
            if not stored:
                failed.append(key)
        return failed

    set_multi = set_many

    def delete_many(self, keys: Iterable[Key], noreply: Optional[bool] = None) -> bool:
        """True; or it raises what the first one that failed raised, when all have been tried."""
        failure: Optional[Exception] = None
        for key in keys or ():
            try:
                self.delete(key)
            except (MemcacheError, RosterError, OSError) as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return True

    delete_multi = delete_many

    def flush_all(self, delay: int = 0, noreply: Optional[bool] = None) -> bool:
        """On every server.  Never while keys move: MemcacheServerError then."""
        info = self.roster.info()
        if info.phase != Phase.STEADY:
            raise MemcacheServerError(f"flush_all is refused while keys move ({info.phase.name})")
        timeout = info.op_timeout_ms / 1000
        return all([self._connection(server).call(timeout, "flush_all", delay, False)
                    for server in self.roster.servers()])

    # ---- as a mapping ----

    def __setitem__(self, key: Key, value: Any) -> None:
        self.set(key, value)

    def __getitem__(self, key: Key) -> Any:
        found = self._get_safely([key])
        if key not in found:
            raise KeyError(key)
        return found[key][0]

    def __delitem__(self, key: Key) -> None:
        self.delete(key)
