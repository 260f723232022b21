"""Lock of a data folder, which the kernel releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from vetrina.core.embedded.errors import AlreadyRunning, NoAccess

FILE = "vetrina.lock"


class Lock:
    """flock on `vetrina.lock`; the file holds the process id while it is locked and is never deleted."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._handle is not None

    def acquire(self) -> None:
        """Acquire the lock. Raises AlreadyRunning with the holder's pid, or NoAccess."""
        try:
            handle = os.open(self._data / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NoAccess(f"The data folder {self._data} cannot be locked: {error}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).strip()
            os.close(handle)
            raise AlreadyRunning(self._data, int(holder) if holder.isdigit() else 0) from None
        except OSError as error:
            os.close(handle)
            raise NoAccess(f"The file system of {self._data} has no locks: {error}") from error
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._handle = handle

    def release(self) -> None:
        """Release the lock, if it is held."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None
