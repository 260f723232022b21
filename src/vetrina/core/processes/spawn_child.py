"""The first moments of a spawned process: another user, a signal when the parent dies, then exec.

Run as a script (standard library only, so that it starts in some 15 ms) rather than between fork and
exec, where Python code could deadlock on a lock that another thread held.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from typing import Any, NoReturn

CANNOT_START = 126
"""Exit code when the process could not be set up as requested; the reason is on stderr."""

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 1, 8, 38, 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


def main(request: str, command: list[str]) -> NoReturn:
    """Set up the process by `request` (JSON: see `spawn.spawn`) and exec `command`, if there is one."""
    settings: dict[str, Any] = json.loads(request)
    try:
        if settings["uid"] is not None:
            _become(settings["uid"], settings["gid"], traverse=settings["traverse"])
            os.umask(0o077)
        for path in settings["must_access"]:
            os.stat(path)
        if not command:
            sys.exit(0)  # only a check
        if sys.platform == "linux" and settings["death_signal"]:
            _prctl(PR_SET_PDEATHSIG, settings["death_signal"])  # after setuid, which clears it
            if os.getppid() != settings["parent"]:
                sys.exit(CANNOT_START)  # the parent died before the signal was set
        os.execv(command[0], command)  # noqa: S606  # the program replaces this process
    except OSError as error:
        print(f"{' '.join(command[:1])}: {error}", file=sys.stderr)
        sys.exit(CANNOT_START)


def _become(uid: int, gid: int, *, traverse: bool) -> None:
    """Give up root. With `traverse`, keep the right to traverse folders that are closed to `uid`."""
    capability = _traversal_capability() if traverse else None
    if capability is not None:
        _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability is not None:
        only = 1 << capability
        _capability("capset", (_Sets * 2)(_Sets(only, only, only), _Sets(0, 0, 0)))
        _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)  # survives exec
    if sys.platform == "linux":
        _prctl(PR_SET_NO_NEW_PRIVS, 1)


def _traversal_capability() -> int:
    """Return the smaller of the two capabilities that open closed folders. Raises OSError if it has neither."""
    sets = (_Sets * 2)()
    _capability("capget", sets)
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if sets[0].permitted & 1 << capability:
            return capability
    raise PermissionError("root has neither CAP_DAC_READ_SEARCH nor CAP_DAC_OVERRIDE here")


def _capability(call: str, sets: ctypes.Array[_Sets]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, call):
        raise OSError("this system has no capabilities")
    if getattr(libc, call)(ctypes.byref(_Header(CAPABILITY_VERSION_3, 0)), sets):
        raise OSError(ctypes.get_errno(), f"{call}: {os.strerror(ctypes.get_errno())}")


def _prctl(option: int, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    if libc.prctl(option, *padded):
        raise OSError(ctypes.get_errno(), f"prctl {option}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
