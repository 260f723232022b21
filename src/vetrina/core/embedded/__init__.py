"""PostgreSQL without an installation: the wheel's programs under our own supervision."""

from vetrina.core.embedded.cluster import DATABASE, Cluster, uri
from vetrina.core.embedded.credentials import Role
from vetrina.core.embedded.errors import AlreadyRunning, CannotStart, EmbeddedError, NoAccess, NotInitialised
from vetrina.core.embedded.lock import Lock

__all__ = [
    "DATABASE",
    "AlreadyRunning",
    "CannotStart",
    "Cluster",
    "EmbeddedError",
    "Lock",
    "NoAccess",
    "NotInitialised",
    "Role",
    "uri",
]
