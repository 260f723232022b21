"""The check of the certificate that signs Content Credentials."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from vetrina.core.checks import Check, Site
from vetrina.core.settings.environment import BadSetting
from vetrina.media.provenance.certificate import existing, path_of

NAME = "content credentials"
SOON = timedelta(days=60)


async def certificate_of_credentials(site: Site) -> list[Check]:
    """Check that the certificate can be used and does not expire soon."""
    try:
        own = existing(site.settings)
    except BadSetting as error:
        return [Check(NAME, "failure", str(error), "No picture can be made until the file is replaced or removed.")]
    if own is None:
        return [Check(NAME, "ok", f"a certificate will be made in {path_of(site.settings)}")]
    if own.until - datetime.now(UTC) < SOON:
        action = "Replace the file; credentials signed with it are no longer valid after that day."
        return [Check(NAME, "warning", f"the certificate ends on {own.until:%Y-%m-%d}", action)]
    return [Check(NAME, "ok", f"signed by {own.subject} until {own.until:%Y-%m-%d}")]
