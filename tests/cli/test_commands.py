"""Operator commands: roles, settings, audit log verification."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from vetrina.cli import main
from vetrina.core.command_line import exit_codes as exits


@pytest.fixture
def shell(owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> psycopg.Connection[tuple[object, ...]]:
    """Return a connection to the commands' database, with one account of each kind at the same address."""
    monkeypatch.setenv("VETRINA_DATABASE_URL", owner)
    monkeypatch.setenv("VETRINA_DATA", str(tmp_path / "data"))
    connection = psycopg.connect(owner, autocommit=True)
    for kind in ("user", "vendor"):
        connection.execute(
            "insert into accounts.accounts (id, kind, email) values (gen_random_uuid(), %s, 'ada@example.com')", (kind,)
        )
    return connection


def test_roles_are_given_and_taken(shell: psycopg.Connection[tuple[object, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    def roles() -> list[tuple[object, ...]]:
        result = shell.execute(
            "select kind, role from accounts.user_roles join accounts.accounts on id = account_id order by 1, 2"
        )
        return result.fetchall()

    assert main(["account", "grant-role", " Ada@Example.com", "superuser"]) == exits.OK
    assert main(["account", "grant-role", "ada@example.com", "admin", "--kind", "vendor"]) == exits.OK
    assert main(["account", "grant-role", "ada@example.com", "admin", "--kind", "vendor"]) == exits.OK
    assert "is admin already" in capsys.readouterr().out
    assert roles() == [("user", "superuser"), ("vendor", "admin")]
    assert main(["account", "revoke-role", "ada@example.com", "admin", "--kind", "vendor"]) == exits.OK
    assert main(["account", "revoke-role", "ada@example.com", "superuser"]) == exits.FAILED
    assert "last superuser" in capsys.readouterr().err
    assert main(["account", "grant-role", "nobody@example.com", "admin"]) == exits.FAILED
    assert "There is no user account with the address nobody@example.com." in capsys.readouterr().err
    assert main(["account", "grant-role", "ada@example.com", "emperor"]) == exits.USAGE
    assert roles() == [("user", "superuser")]
    actions = shell.execute("select action, actor_type from core.audit_logs where action like 'role%' order by id").fetchall()
    assert sorted(actions) == [("role_granted", "system"), ("role_granted", "system"), ("role_revoked", "system")]


def test_an_account_is_disabled_and_enabled(
    shell: psycopg.Connection[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["account", "disable", "ada@example.com", "it was asked for"]) == exits.OK
    state = "select is_active from accounts.accounts where kind = 'user'"
    assert shell.execute(state).fetchone() == (False,)
    assert main(["account", "enable", "ada@example.com"]) == exits.OK
    assert shell.execute(state).fetchone() == (True,)
    assert main(["account", "sign-out", "ada@example.com"]) == exits.OK
    assert "No session" in capsys.readouterr().out


def test_operator_erases_an_account(shell: psycopg.Connection[tuple[object, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["account", "erase", "ada@example.com", "--confirm", "eve@example.com"]) == exits.FAILED
    assert "not the same" in capsys.readouterr().err
    assert main(["account", "erase", "ada@example.com", "--confirm", "Ada@example.com"]) == exits.OK
    query = "select kind, is_active from accounts.accounts join accounts.erasures on account_id = id"
    assert shell.execute(query).fetchall() == [("user", False)]
    jobs = {name for (name,) in shell.execute("select task_name from procrastinate_jobs")}
    assert jobs == {"accounts.erase", "payments.stop_renewal"}
    # A half-erased account cannot be enabled again.
    assert main(["account", "enable", "ada@example.com"]) == exits.OK
    assert shell.execute(query).fetchall() == [("user", False)]


def test_settings_are_listed_and_changed(
    shell: psycopg.Connection[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["settings", "set", "limits.api", "50/10"]) == exits.OK
    assert main(["settings", "set", "limits.api", "lots"]) == exits.FAILED
    assert "count/seconds" in capsys.readouterr().err
    assert main(["settings", "set", "limits.nothing", "1/1"]) == exits.FAILED
    assert main(["settings", "list"]) == exits.OK
    assert any(line.split()[:2] == ["limits.api", "50/10"] for line in capsys.readouterr().out.splitlines())
    assert main(["settings", "list", "--json"]) == exits.OK
    assert {"count": 50, "seconds": 10} in [item["value"] for item in json.loads(capsys.readouterr().out)]


def test_audit_log_is_verified(shell: psycopg.Connection[tuple[object, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify"]) == exits.OK
    assert "The audit log holds: " in capsys.readouterr().out
    with shell.transaction():
        shell.execute("set local session_replication_role = replica")
        shell.execute("update core.audit_logs set action = 'nothing_done' where position = 1")
    assert main(["audit", "verify"]) == exits.FAILED
    assert "the row was changed" in capsys.readouterr().out
    assert main(["audit", "verify", "--json"]) == exits.FAILED
    document = json.loads(capsys.readouterr().out)
    assert document["clean"] is False and document["chains"] == 3 and document["faults"][0]["position"] == 1


def test_business_profile_is_verified(shell: psycopg.Connection[tuple[object, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["account", "verify-vendor", "ada@example.com"]) == exits.FAILED
    assert "no business profile" in capsys.readouterr().err
    shell.execute("insert into accounts.vendors (account_id, business_name) select id, 'Prints' from accounts.accounts")
    assert main(["account", "verify-vendor", "ada@example.com"]) == exits.OK
    assert main(["account", "verify-vendor", "ada@example.com", "--kind", "user"]) == exits.OK
    assert main(["account", "verify-vendor", "ada@example.com", "--undo"]) == exits.OK
    assert "no longer verified" in capsys.readouterr().out
    rows = shell.execute("select kind, is_verified from accounts.vendors join accounts.accounts on id = account_id order by 1")
    assert rows.fetchall() == [("user", True), ("vendor", False)]


def test_an_accounts_domains_are_listed(
    shell: psycopg.Connection[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["account", "domains", "ada@example.com"]) == exits.OK
    assert "has no domains" in capsys.readouterr().out
    shell.execute(
        """insert into accounts.domain_verifications (account_id, id, domain, verification_code, answer)
           select id, core.new_id(), 'xn--bcher-kva.example', 'x', 'missing' from accounts.accounts where kind = 'vendor'"""
    )
    assert main(["account", "domains", "ada@example.com"]) == exits.OK
    assert capsys.readouterr().out == "bücher.example: pending, last result: missing\n"
    assert main(["account", "domains", "ada@example.com", "--json"]) == exits.OK
    assert json.loads(capsys.readouterr().out)[0]["status"] == "pending"
