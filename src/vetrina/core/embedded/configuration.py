"""The server's configuration files, written at each start."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

LOG_FOLDER = "log"
OWN_FILE = "own.conf"
"""The operator's own settings, in PostgreSQL's folder; the fixed ones take precedence."""

ACCESS = """\
# Written at each start. Passwords only, from this machine only.
host  all          all       127.0.0.1/32  scram-sha-256
host  replication  postgres  127.0.0.1/32  scram-sha-256
"""

_GIB = 1 << 30


def defaults() -> dict[str, str]:
    """Return settings for a small machine that does other work too."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "max_connections": "100",
        "shared_buffers": "256MB" if memory >= 4 * _GIB else "128MB",
        "effective_cache_size": f"{max(memory // 2 // (1 << 20), 256)}MB",
        "maintenance_work_mem": "64MB",
        "wal_compression": "on",
        "max_wal_size": "1GB",  # bounds the time of recovery after a crash
        "fsync": "on",
        "jit": "off",  # statements are short; compiling them costs more than it saves
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "datestyle": "iso, ymd",
        "log_timezone": "UTC",
        "log_destination": "stderr",
        "logging_collector": "on",
        "log_directory": LOG_FOLDER,
        "log_filename": "postgresql-%a.log",  # seven files, each overwritten a week later
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_error_verbosity": "terse",  # details of a violated constraint are personal data
        "log_parameter_max_length": "0",  # and so are parameters
        "log_parameter_max_length_on_error": "0",
        "log_min_duration_statement": "1s",
    }


def fixed(port: int) -> dict[str, str]:
    """Return the settings that Vetrina depends on, which nothing overrides."""
    return {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", "ssl": "off"}


def text(settings: Mapping[str, str | int], port: int) -> str:
    """Return the text of postgresql.conf: defaults, `settings`, the operator's file, then the fixed settings."""
    return "\n".join(
        [
            f"# Written at each start. Put settings of your own into {OWN_FILE} beside this file.",
            *_lines({**defaults(), **settings}),
            f"include_if_exists = '{OWN_FILE}'",
            *_lines(fixed(port)),
            "",
        ]
    )


def _lines(settings: Mapping[str, str | int]) -> list[str]:
    lines: list[str] = []
    for name, value in settings.items():
        if not re.fullmatch(r"[a-z_][a-z0-9_.]*", name) or "\n" in str(value):
            raise ValueError(f"not a PostgreSQL setting: {name} = {value}")
        quoted = str(value).replace("\\", "\\\\").replace("'", "''")
        lines.append(f"{name} = '{quoted}'")
    return lines
