"""Which memcached has this key, also while keys move: libmcroster for Python.

``Roster`` maps a cluster's list (``mcroster.h`` is its reference); ``RosterClient`` is a client with
pymemcache's interface that follows its plans.  Pure ctypes: libmcroster.so.0 has to be installed, or
named in the environment's MCROSTER_LIBRARY; RosterClient needs pymemcache.
"""
from __future__ import annotations

from typing import Any

from .roster import (Answer, End, Info, Op, Phase, Plan, Roster, RosterError, Send, Server, Step)

__all__ = ["Answer", "CasToken", "End", "IncompleteError", "Info", "Op", "OwedError", "Phase", "Plan",
           "Roster", "RosterClient", "RosterError", "Send", "Server", "Step"]


def __getattr__(name: str) -> Any:
    # pymemcache is needed by those who ask for the client, not by those who only route.
    if name in ("CasToken", "IncompleteError", "OwedError", "RosterClient"):
        from . import client
        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
