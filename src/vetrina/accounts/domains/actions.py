"""Domains that an account proves to be its own, by a TXT record that only their holder can set."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from functools import cache
from typing import Literal
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

from vetrina.accounts.domains import queries as queries_domains
from vetrina.accounts.domains.model import DomainDue, DomainRow, InvalidDomain, PublicSuffix, TooManyDomains
from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.rate_limits import limits
from vetrina.core.services import Services
from vetrina.core.setting_values import name_servers
from vetrina.core.settings import Settings

log = structlog.get_logger("vetrina.accounts")

LABEL = "_vetrina-challenge"
"""The record stands at this name below the domain, so that it is in nobody's way."""
PREFIX = "vetrina-verification="
MOST = 20
GRACE_DAYS = 7
"""How long a proven domain stays so while its name servers do not answer."""
SECONDS = 6.0
"""What one lookup may take."""
AT_ONCE = 16
Answer = Literal["found", "missing", "different", "unreachable"]


def normal(written: str) -> str:
    """The domain as it is kept: lower case, ASCII (IDNA 2008). An address that was pasted stands for its host.

    Raises InvalidDomain, PublicSuffix (422).
    """
    text = written.strip()
    if "//" in text:
        try:
            text = urlsplit(text).hostname or ""
        except ValueError:
            raise InvalidDomain from None
    if not text or len(text) > 254 or _is_an_address(text):
        raise InvalidDomain
    try:
        # Its mapping turns other full stops into ours, so the last one goes after it.
        domain = idna.encode(text, uts46=True, std3_rules=True).decode().removesuffix(".")
    except (idna.IDNAError, UnicodeError):
        raise InvalidDomain from None
    # Some read a last label of figures as an address.
    if "." not in domain or domain.rpartition(".")[2].isdecimal() or _is_an_address(domain):
        raise InvalidDomain
    if _suffixes().is_public(domain):
        raise PublicSuffix
    return domain


def shown(domain: str) -> str:
    """The domain as people write it."""
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def record(row: DomainRow) -> tuple[str, str]:
    """The name and the text of the TXT record to be set."""
    return f"{LABEL}.{row.domain}", PREFIX + row.verification_code


async def add(tx: Tx, account: AccountId, written: str) -> DomainRow:
    """A domain to be proven. Raises InvalidDomain, PublicSuffix (422), DomainListed, TooManyDomains (409)."""
    domain = normal(written)
    await tx.one(queries_domains.LOCK_OWNER, account=account)
    row = await tx.maybe(
        queries_domains.ADD_DOMAIN, account=account, id=new_id(), domain=domain, code=secrets.token_urlsafe(24), most=MOST
    )
    if row is None:
        raise TooManyDomains
    await usage.record(tx, account, "domain_added", {"domain": row.domain})
    return row


async def remove(tx: Tx, account: AccountId, domain_id: UUID) -> str:
    """Forget a domain; its name. Raises NotFound (404)."""
    domain = await tx.one(queries_domains.REMOVE_DOMAIN, account=account, id=domain_id)
    await usage.record(tx, account, "domain_removed", {"domain": domain})
    return domain


async def verify(services: Services, account: AccountId, domain_id: UUID) -> DomainRow:
    """Look the record up now. Raises NotFound (404), RateLimited (429)."""
    await services.part(limits).spend("domain_checks", str(account))
    async with services.db.read() as tx:
        due = await tx.one(queries_domains.DOMAIN_LEASE, account=account, id=domain_id)
    row = await check(services, due)
    if row is None:  # another check came between, or the domain was removed
        async with services.db.read() as tx:
            row = await tx.one(queries_domains.DOMAIN, account=account, id=domain_id)
    return row


async def check(services: Services, due: DomainDue) -> DomainRow | None:
    """Ask the name servers, then write down what it means; None when the row has changed meanwhile."""
    answer = await services.part(Resolver).look_up(due.domain, due.verification_code)
    async with services.db.tx() as tx:
        before = await tx.maybe(queries_domains.DOMAIN, account=due.account_id, id=due.id)
        row = await tx.maybe(
            queries_domains.DOMAIN_ANSWERED,
            account=due.account_id,
            id=due.id,
            leased_until=due.leased_until,
            answer=answer,
            grace=GRACE_DAYS,
        )
        if row is not None and before is not None and before.status != row.status:
            log.info("a domain changed its state", domain=row.domain, status=row.status)
            await usage.record(tx, AccountId(due.account_id), f"domain_{row.status}", {"domain": row.domain})
    return row


async def check_due(services: Services) -> int:
    """Look up what is due, `AT_ONCE` at a time; how many."""
    count = 0
    while True:
        async with services.db.read() as tx:
            due = await tx.all(queries_domains.DOMAINS_DUE, limit=AT_ONCE)
        await asyncio.gather(*(check(services, each) for each in due))
        count += len(due)
        if len(due) < AT_ONCE:
            return count


class Resolver:
    """Asks the name servers of the settings, or the system's. One a process."""

    def __init__(self, services: Services) -> None:
        self._resolver = resolver(services.settings)

    async def look_up(self, domain: str, code: str) -> Answer:
        """Whether the TXT record with this code stands at the domain."""
        try:
            name = dns.name.from_text(f"{LABEL}.{domain}.")
            found = await self._resolver.resolve(name, dns.rdatatype.TXT, lifetime=SECONDS, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return "missing"
        except (dns.exception.DNSException, OSError) as error:
            log.info("a name server does not answer", domain=domain, error=type(error).__name__)
            return "unreachable"
        texts = {b"".join(each.strings).decode("ascii", "replace").strip() for each in found}
        wanted = PREFIX + code
        return "found" if any(secrets.compare_digest(each.encode(), wanted.encode()) for each in texts) else "different"


def resolver(settings: Settings) -> dns.asyncresolver.Resolver:
    """As the settings have it."""
    servers = name_servers(settings.dns_servers) if settings.dns_servers else []
    try:
        made = dns.asyncresolver.Resolver(configure=not servers)
    except dns.resolver.NoResolverConfiguration:
        # A machine without any: every lookup then ends as unreachable.
        made = dns.asyncresolver.Resolver(configure=False)
    if servers:
        made.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in servers]
    made.timeout = 2.0
    made.lifetime = SECONDS
    return made


def _is_an_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
