"""The checks of media: reported pictures, and the certificate of Content Credentials."""

from __future__ import annotations

from vetrina.core.checks import SiteCheck
from vetrina.media.provenance.checks import certificate_of_credentials
from vetrina.media.public_pictures.checks import reports

CHECKS: list[SiteCheck] = [reports, certificate_of_credentials]
