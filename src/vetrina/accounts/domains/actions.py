"""Domain verification by a TXT record, which only a domain's owner can set."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from functools import cache
from typing import Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
import idna
import structlog
from publicsuffixlist import PublicSuffixList

from vetrina.accounts.domains import queries
from vetrina.accounts.domains.model import DomainDue, DomainRow, InvalidDomain, PublicSuffix, TooManyDomains
from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.rate_limits import Limits
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.core.settings.values import name_servers

log = structlog.get_logger("vetrina.accounts")

LABEL = "_vetrina-challenge"
"""The record's name below the domain, where it does not collide with other records."""
PREFIX = "vetrina-verification="
MAX_DOMAINS = 20
GRACE_DAYS = 7
"""Days for which a domain stays verified while its name servers do not answer."""
LOOKUP_SECONDS = 6.0
"""Timeout of one lookup."""
CONCURRENT_LOOKUPS = 16
Result = Literal["found", "missing", "different", "unreachable"]


def normalize_domain(text: str) -> str:
    """Return the domain in lower case and ASCII (IDNA 2008); of a URL, its host.

    Raises InvalidDomain, PublicSuffix (422).
    """
    text = text.strip()
    if "//" in text:
        try:
            text = urlsplit(text).hostname or ""
        except ValueError:
            raise InvalidDomain from None
    if not text or len(text) > 254 or _is_ip_address(text):
        raise InvalidDomain
    try:
        # The mapping turns other full stops into ASCII ones, so a final dot is removed after it.
        domain = idna.encode(text, uts46=True, std3_rules=True).decode().removesuffix(".")
    except (idna.IDNAError, UnicodeError):
        raise InvalidDomain from None
    # A last label of digits would be read as an IP address by some.
    if "." not in domain or domain.rpartition(".")[2].isdecimal() or _is_ip_address(domain):
        raise InvalidDomain
    if _suffixes().is_public(domain):
        raise PublicSuffix
    return domain


def display_domain(domain: str) -> str:
    """Return the domain in its Unicode form."""
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def txt_record(row: DomainRow) -> tuple[str, str]:
    """Return the name and the text of the TXT record to add."""
    return f"{LABEL}.{row.domain}", PREFIX + row.verification_code


async def add(tx: Tx, account: AccountId, text: str) -> DomainRow:
    """Add a domain to be verified. Raises InvalidDomain, PublicSuffix (422), DomainListed, TooManyDomains (409)."""
    domain = normalize_domain(text)
    await tx.fetch_one(queries.LOCK_OWNER, account=account)
    row = await tx.fetch_optional(
        queries.ADD_DOMAIN, account=account, id=new_id(), domain=domain, code=secrets.token_urlsafe(24), most=MAX_DOMAINS
    )
    if row is None:
        raise TooManyDomains
    await usage.record(tx, account, "domain_added", {"domain": row.domain})
    return row


async def remove(tx: Tx, account: AccountId, domain_id: UUID) -> str:
    """Remove a domain and return its name. Raises NotFound (404)."""
    domain = await tx.fetch_one(queries.REMOVE_DOMAIN, account=account, id=domain_id)
    await usage.record(tx, account, "domain_removed", {"domain": domain})
    return domain


async def verify(services: Services, account: AccountId, domain_id: UUID) -> DomainRow:
    """Look up the record now. Raises NotFound (404), RateLimited (429)."""
    await services.get(Limits).consume("domain_checks", str(account))
    async with services.db.read() as tx:
        due = await tx.fetch_one(queries.LEASE_DOMAIN, account=account, id=domain_id)
    row = await check(services, due)
    if row is None:  # another check came between, or the domain was removed
        async with services.db.read() as tx:
            row = await tx.fetch_one(queries.DOMAIN, account=account, id=domain_id)
    return row


async def check(services: Services, due: DomainDue) -> DomainRow | None:
    """Look up the record and store the result; return None when the row has changed meanwhile."""
    result = await services.get(Resolver).look_up(due.domain, due.verification_code)
    async with services.db.tx() as tx:
        before = await tx.fetch_optional(queries.DOMAIN, account=due.account_id, id=due.id)
        row = await tx.fetch_optional(
            queries.RECORD_RESULT,
            account=due.account_id,
            id=due.id,
            leased_until=due.leased_until,
            answer=result,
            grace=GRACE_DAYS,
        )
        if row is not None and before is not None and before.status != row.status:
            log.info("domain status changed", domain=row.domain, status=row.status)
            await usage.record(tx, AccountId(due.account_id), f"domain_{row.status}", {"domain": row.domain})
    return row


async def check_due(services: Services) -> int:
    """Look up the domains that are due, `CONCURRENT_LOOKUPS` at a time; return their number."""
    count = 0
    while True:
        async with services.db.read() as tx:
            due = await tx.fetch_all(queries.DOMAINS_DUE, limit=CONCURRENT_LOOKUPS)
        await asyncio.gather(*(check(services, domain) for domain in due))
        count += len(due)
        if len(due) < CONCURRENT_LOOKUPS:
            return count


class Resolver:
    """Queries the name servers of the settings, or the system's. One a process."""

    def __init__(self, settings: Settings) -> None:
        self._resolver = resolver(settings)

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the resolver."""
        return cls(services.settings)

    async def look_up(self, domain: str, code: str) -> Result:
        """Look up the TXT record of the domain and compare it with the code."""
        try:
            name = dns.name.from_text(f"{LABEL}.{domain}.")
            records = await self._resolver.resolve(name, dns.rdatatype.TXT, lifetime=LOOKUP_SECONDS, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return "missing"
        except (dns.exception.DNSException, OSError) as error:
            log.info("name servers do not answer", domain=domain, error=type(error).__name__)
            return "unreachable"
        texts = {b"".join(record.strings).decode("ascii", "replace").strip() for record in records}
        expected = (PREFIX + code).encode()
        return "found" if any(secrets.compare_digest(text.encode(), expected) for text in texts) else "different"


def resolver(settings: Settings) -> dns.asyncresolver.Resolver:
    """Return the resolver that the settings describe."""
    servers = name_servers(settings.dns_servers) if settings.dns_servers else []
    try:
        configured = dns.asyncresolver.Resolver(configure=not servers)
    except dns.resolver.NoResolverConfiguration:
        # Without name servers every lookup ends as unreachable.
        configured = dns.asyncresolver.Resolver(configure=False)
    if servers:
        configured.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in servers]
    configured.timeout = 2.0
    configured.lifetime = LOOKUP_SECONDS
    return configured


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
