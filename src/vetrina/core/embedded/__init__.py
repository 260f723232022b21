"""PostgreSQL without an installation: the wheel's programs, supervised by Vetrina."""

from vetrina.core.embedded.cluster import DATABASE, Cluster, exists, make_folder, uri
from vetrina.core.embedded.credentials import Role
from vetrina.core.embedded.errors import AlreadyRunning, CannotStart, EmbeddedError, NoAccess, NotInitialised, Unsuitable
from vetrina.core.embedded.lock import Lock
from vetrina.core.embedded.roles import Access, embedded, ensure_external, ensure_roles, external

__all__ = [
    "DATABASE",
    "Access",
    "AlreadyRunning",
    "CannotStart",
    "Cluster",
    "EmbeddedError",
    "Lock",
    "NoAccess",
    "NotInitialised",
    "Role",
    "Unsuitable",
    "embedded",
    "ensure_external",
    "ensure_roles",
    "exists",
    "external",
    "make_folder",
    "uri",
]
