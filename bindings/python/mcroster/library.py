"""libmcroster as ctypes sees it: the structures of mcroster.h and its functions, nothing else.

The layouts are checked against the header by the tests.
"""
from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, Structure, c_char, c_char_p, c_int, c_size_t, c_uint, c_uint8, c_uint16
from ctypes import c_uint32, c_uint64, c_void_p

KEY_MAX = 250
STEPS_MAX = 5

OK, NEWER, REPEAT = 0, 1, 2
NOT_READY, ISOLATED, LATE, STALE, NO_SEGMENT = -1, -2, -3, -4, -5
BAD_KEY, TIMED_OUT, MOVED, NOT_REGISTERED = -9, -11, -15, -17
NO_AGENT, FULL, NOT_STORED = -18, -21, -22

STRICT, OBSERVE = 1, 2


class Step(Structure):
    """struct mcr_step"""
    _fields_ = [("server", c_uint16), ("send", c_uint8), ("empty_is_miss", c_uint8)]


class Plan(Structure):
    """struct mcr_plan"""
    _fields_ = [("generation", c_uint32), ("op", c_uint8), ("phase", c_uint8),
                ("step_count", c_uint8), ("answer", c_uint8), ("step", Step * STEPS_MAX),
                ("owner", c_uint32), ("deadline_ns", c_uint64)]


class Server(Structure):
    """struct mcr_server"""
    _fields_ = [("name", c_char * 64), ("address", c_char * 112), ("weight", c_uint32),
                ("in_old", c_uint8), ("in_new", c_uint8), ("id", c_uint64)]


class Info(Structure):
    """struct mcr_info"""
    _fields_ = [("generation", c_uint32), ("phase", c_uint8), ("epoch", c_uint64),
                ("next_epoch", c_uint64), ("server_count", c_uint32), ("slot_count", c_uint32),
                ("op_timeout_ms", c_uint32), ("heartbeat", c_uint64), ("published_ns", c_uint64),
                ("lease_deadline_ns", c_uint64), ("bypass", c_uint8),
                ("list_hash", c_uint8 * 32), ("next_hash", c_uint8 * 32)]


_PROTOTYPES = {
    "mcr_open": (c_int, [c_char_p, c_uint, POINTER(c_void_p)]),
    "mcr_close": (None, [c_void_p]),
    "mcr_reader_new": (c_int, [c_void_p, POINTER(c_void_p)]),
    "mcr_reader_free": (None, [c_void_p]),
    "mcr_begin": (c_int, [c_void_p, c_int, c_char_p, c_size_t, POINTER(Plan)]),
    "mcr_check": (c_int, [c_void_p, POINTER(Plan)]),
    "mcr_end": (c_int, [c_void_p, POINTER(Plan)]),
    "mcr_owe": (c_int, [c_void_p, POINTER(Plan), c_uint, c_char_p, c_size_t, c_int]),
    "mcr_server": (c_int, [c_void_p, POINTER(Plan), c_uint32, POINTER(Server)]),
    "mcr_servers": (c_int, [c_void_p, POINTER(Info), POINTER(Server), c_uint32]),
    "mcr_owner": (c_int, [c_void_p, c_char_p, c_size_t, POINTER(c_uint32), POINTER(c_uint32)]),
    "mcr_info": (c_int, [c_void_p, POINTER(Info)]),
    "mcr_wait": (c_int, [c_void_p, c_uint32, c_int]),
    "mcr_register": (c_int, [c_void_p, c_int]),
    "mcr_fd": (c_int, [c_void_p]),
    "mcr_service": (c_int, [c_void_p]),
    "mcr_strerror": (c_char_p, [c_int]),
    "mcr_phase_name": (c_char_p, [c_int]),
}


def load() -> ctypes.CDLL:
    """The library, its functions declared."""
    library = ctypes.CDLL(os.environ.get("MCROSTER_LIBRARY", "libmcroster.so.0"), use_errno=True)
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


lib = load()
