"""Errors of an OpenAI-compatible endpoint, mapped to messages for the user.

Codes as in the public API reference and the official SDK's issues. The endpoint's own text
goes to the log only, without the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import openai
import structlog

from vetrina.clients.engines.base import EngineRefused
from vetrina.clients.engines.retry import Passing, retry_after

_log = structlog.get_logger(__name__)

_SAFETY = {"moderation_blocked", "content_policy_violation", "content_filter", "safety_violation"}
_NO_CREDIT = {
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_limit_reached",
    "billing_not_active",
    "account_deactivated",
}
_BAD_PICTURE = {
    "invalid_image",
    "invalid_image_file",
    "invalid_image_format",
    "image_parse_error",
    "image_too_large",
    "image_too_small",
    "unsupported_image_media_type",
}
_NO_MODEL = {"model_not_found", "deprecated_model"}

NO_CREDIT = "The operator's account with the image service has run out of credit. Nothing is wrong with your request."
BAD_KEY = "The image service did not accept this site's key. Please tell the operator; trying again will not help."
NOT_ALLOWED = "The image service does not let this site use that model. Please tell the operator."
BUSY = "The image service is busy just now."
BROKEN = "The image service had a fault of its own."
UNREACHABLE = "The image service could not be reached."
CUT_SHORT = "The connection to the image service broke before the picture was complete."
UNREADABLE = "The image service sent an answer that could not be read."


def to_engine_error(error: openai.APIError, *, model: str, key: str | None) -> Passing | EngineRefused:
    """Return what to raise instead of the SDK's `error`: Passing if another attempt may help, else EngineRefused."""
    status = error.status_code if isinstance(error, openai.APIStatusError) else None
    code, kind, message = error.code or "", error.type or "", error.message
    _log.warning(
        "image_service_failed",
        status=status,
        code=code,
        type=kind,
        request_id=getattr(error, "request_id", None),
        message=_without_key(message, key)[:500],
    )
    if isinstance(error, openai.APIConnectionError):
        return Passing(UNREACHABLE)
    if code in _SAFETY or (kind == "image_generation_user_error" and "safety" in message.lower()):
        return EngineRefused(_declined(message))
    if code in _NO_CREDIT or kind in _NO_CREDIT or status == 402:
        return EngineRefused(NO_CREDIT)
    if code in _BAD_PICTURE:
        return EngineRefused("The image service could not use one of the photographs. Try another one.")
    if code in _NO_MODEL or status == 404:
        return EngineRefused(f"The image service does not offer the model {model}. Please tell the operator.")
    if isinstance(error, openai.APIStatusError):
        return _by_status(error.status_code, error.response.headers)
    return _in_stream(code, kind)


def _by_status(status: int, headers: Mapping[str, str]) -> Passing | EngineRefused:
    if status == 429:
        return Passing(BUSY, after=retry_after(headers))
    if status in (408, 409) or status >= 500:
        return Passing(BROKEN, after=retry_after(headers))
    if status == 401:
        return EngineRefused(BAD_KEY)
    if status == 403:
        return EngineRefused(NOT_ALLOWED)
    if status == 413:
        return EngineRefused("The photographs are too large for the image service. Try smaller or fewer ones.")
    if status < 400:
        return EngineRefused("The image service points to another address, which we do not follow. Please tell the operator.")
    return EngineRefused(
        "The image service did not accept the request. Change the words or the settings; if that does not"
        " help, the operator finds the details in the log."
    )


def _in_stream(code: str, kind: str) -> Passing | EngineRefused:
    """Return what to raise for an error in a stream that had begun well."""
    if "invalid_request" in kind or "user_error" in kind:
        return EngineRefused("The image service gave up on this request. Change the words or the photographs.")
    return Passing(BUSY if "rate_limit" in code + kind else BROKEN)


def _declined(message: str) -> str:
    violations = re.search(r"safety_violations=\[([a-z_/, -]{1,80})\]", message)
    reason = f" It names: {violations[1].replace('_', ' ')}." if violations else ""
    return f"The image service's safety rules declined this request.{reason} Change the words or the photographs and try again."


def refuses_streaming(error: openai.APIError) -> bool:
    """Return whether the endpoint refuses to stream, which not every compatible one can."""
    if not isinstance(error, openai.APIStatusError) or error.status_code not in (400, 422, 501):
        return False
    return error.param in ("stream", "partial_images") or bool(re.search(r"\b(stream(ing)?|partial_images)\b", error.message))


def refused_parameter(error: openai.APIError, sent: Mapping[str, Any]) -> str | None:
    """Return which of the `sent` parameters the endpoint refuses by name with 400 or 422, or None.

    Endpoints name it in `param` (OpenAI), in `detail[].loc` (FastAPI), or in the message alone:
    "Unknown parameter: 'quality'", "Unrecognized request argument supplied: quality", "Argument not
    supported: size", "`style` is not supported". A word of the user's prompt is not a name.
    """
    if not isinstance(error, openai.APIStatusError) or error.status_code not in (400, 422):
        return None
    if error.code in _SAFETY | _NO_CREDIT | _BAD_PICTURE | _NO_MODEL:
        return None
    structured = [*_located(error.body), *([error.param] if error.param else [])]
    if structured:
        names = [name.rpartition(".")[2].partition("[")[0] for name in structured]
        return next((name for name in names if name in sent), None)
    names = "|".join(sent)
    for pattern in _UNKNOWN_PARAMETER:
        match = re.search(pattern.replace("NAME", f"({names})"), error.message, re.IGNORECASE)
        if match:
            return match[1].lower()
    return None


def concerns_value(error: openai.APIError) -> bool:
    """Return whether the endpoint accepts the parameter and refuses only this value."""
    return error.code == "invalid_value" or bool(re.search(r"\bvalues?\b|must be one of", error.message, re.IGNORECASE))


_NOUN = r"(?:parameter|argument|field|input|property|key|option|supplied)s?"
_UNKNOWN_PARAMETER = (
    rf"\b(?:unknown|unrecogni[sz]ed|unsupported|unexpected|extra|invalid)\b[\w ]{{0,40}}?\b{_NOUN}\b[:\s]*[\"'`(\[]*NAME\b",
    rf"\b{_NOUN} (?:is |are )?not (?:supported|permitted|allowed|recogni[sz]ed)[:\s]+[\"'`]*NAME\b",
    r"[\"'`]NAME[\"'`][\w ]{0,40}?\b(?:unknown|unsupported|unexpected|not (?:supported|permitted|allowed|recogni[sz]ed))\b",
)


def _located(body: object) -> Iterator[str]:
    """Yield the last part of each `detail[].loc`, as FastAPI names a field of the body."""
    detail: object = cast("dict[str, object]", body).get("detail") if isinstance(body, dict) else None
    for entry in cast("list[object]", detail) if isinstance(detail, list) else []:
        location: object = cast("dict[str, object]", entry).get("loc") if isinstance(entry, dict) else None
        if isinstance(location, list) and location:
            yield str(cast("list[object]", location)[-1])


def _without_key(text: str, key: str | None) -> str:
    text = text.replace(key, "[key]") if key else text
    return re.sub(r"\bsk-[\w*.-]{4,}", "[key]", text)
