"""The values that a check constraint allows are the members of its Python type."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable
from enum import Enum
from typing import Any

import psycopg
import pytest

from vetrina.accounts import model as accounts
from vetrina.accounts.domains import actions as domains
from vetrina.accounts.privacy.api import ExportView
from vetrina.accounts.roles.actions import Role
from vetrina.accounts.site_pages import model as site_pages
from vetrina.accounts.verification import actions as verification
from vetrina.core.audit import ActorType
from vetrina.core.messages.outbox import Letter
from vetrina.gallery import model as gallery
from vetrina.media.model import Category
from vetrina.media.portraits.actions import Face
from vetrina.media.public_pictures import model as public_pictures
from vetrina.messaging import model as messaging
from vetrina.notifications import model as notifications
from vetrina.payments import model as payments
from vetrina.payments.gateways.sandbox import Sandbox
from vetrina.payments.gateways.stripe import StripeGateway
from vetrina.payments.gateways.zarinpal import ZarinPalGateway
from vetrina.payments.webhooks import commands as webhooks
from vetrina.reports import model as reports
from vetrina.stripe_mirror import model as mirror
from vetrina.studio import model as studio
from vetrina.wallet import model as wallet
from vetrina.web.i18n import Language

SQL_ONLY = {
    "hold_state_known": "holds end in SQL; Python knows their ids",
    "reversal_kind_known": "written and read in SQL",
    "domain_status_known": "decided in SQL; pages show the word",
    "file_mime_is_a_picture": "the processing of pictures writes one of three, each tested there",
    "pending_upload_mime_is_a_picture": "what a documented function is given; the upload itself is measured",
    "entry_sign_fits_kind": "kinds whose quantity is positive, not all",
    "counter_kind_known": "written by triggers and read in SQL",
    "generation_ends_with_a_time": "states that are an end, not all",
}
"""Constraints with a list of values that no Python type has, and why."""


def members(kind: Any) -> set[str]:
    """Return the values of an enum or a Literal."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {str(member.value) for member in kind}
    return set(typing.get_args(kind))


def field(struct: type, name: str) -> set[str]:
    """Return the values of a struct's field."""
    return members(typing.get_type_hints(struct)[name])


def python_values() -> dict[str, set[str]]:
    """Return Python's values by constraint."""
    return {
        "account_kind_known": members(accounts.Kind),
        "asset_known": members(wallet.Asset),
        "audit_actor_known": members(ActorType),
        "domain_answer_known": members(domains.Result),
        "entry_kind_known": members(wallet.Kind),
        "export_status_known": field(ExportView, "status"),
        "file_category_known": members(Category),
        "conversation_kind_known": members(messaging.Kind),
        "preference_channel_known": members(notifications.Channel),
        "participant_status_known": members(messaging.Status),
        "generation_status_known": members(studio.Status),
        "batch_kind_known": members(studio.BatchKind),
        "grant_source_known": members(wallet.GrantSource),
        "outbox_channel_known": field(Letter, "channel"),
        "payment_gateway_known": {StripeGateway.name, ZarinPalGateway.name, Sandbox.name},
        "payment_kind_known": members(payments.PaymentKind),
        "payment_status_known": members(payments.Status),
        "plan_kind_known": members(accounts.Kind),
        "post_status_known": members(gallery.PostStatus),
        "post_visibility_known": members(gallery.Visibility),
        "portrait_face_known": members(Face),
        "report_reason_known": members(public_pictures.Reason),
        "report_state_known": members(public_pictures.ReportState),
        "refund_status_known": members(payments.RefundStatus),
        "role_known": members(Role),
        "link_origin_known": members(mirror.LinkOrigin),
        "search_kind_known": members(reports.Kind),
        "session_client_known": members(accounts.Client),
        "identifier_change_channel_known": members(accounts.Channel),
        "site_page_known": set(site_pages.TITLES),
        "site_page_language_known": members(Language),
        "verification_kind_known": members(accounts.CodeKind),
        "verification_purpose_known": members(verification.Purpose),
        # `waiting` is a filter: neither applied nor ignored yet.
        "webhook_outcome_known": members(webhooks.Outcome) - {"waiting"},
    }


def database_values(connection: psycopg.Connection[Any]) -> dict[str, set[str]]:
    """Return the values that the database allows by constraint, for constraints that list values."""
    rows: Iterable[tuple[str, str]] = connection.execute("""
        select o.conname, pg_get_constraintdef(o.oid) from pg_constraint o join pg_namespace n on n.oid = o.connamespace
         where o.contype = 'c' and n.nspname <> 'public' and n.nspname !~ '^(pg_|information_schema)'""")
    definitions = {name: re.search(r"= ANY \(+ARRAY\[(.*?)\]", definition) for name, definition in rows}
    return {name: set(re.findall(r"'([^']*)'::", match[1])) for name, match in definitions.items() if match}


def test_every_list_of_values_equals_its_python_type(as_owner: psycopg.Connection[Any]) -> None:
    database = database_values(as_owner)
    assert set(database) == set(python_values()) | set(SQL_ONLY)
    assert {name: database[name] for name in python_values()} == python_values()


def test_freezing_creates_a_wallet_of_every_asset(as_owner: psycopg.Connection[Any]) -> None:
    row = as_owner.execute("select prosrc from pg_proc where oid = 'wallet.freeze'::regproc").fetchone()
    assert row is not None
    listed = re.search(r"array\[(.*?)\]", row[0])
    assert listed is not None and set(re.findall(r"'(\w+)'", listed[1])) == members(wallet.Asset)


def test_value_missing_in_python_is_detected(as_owner: psycopg.Connection[Any]) -> None:
    with as_owner.transaction(force_rollback=True):
        as_owner.execute("""alter table payments.payments drop constraint payment_status_known;
            alter table payments.payments add constraint payment_status_known
              check (status in ('pending', 'completed', 'lost'))""")
        with pytest.raises(AssertionError):
            test_every_list_of_values_equals_its_python_type(as_owner)
