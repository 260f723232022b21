"""Names of browsers and systems, read from User-Agent headers."""

from __future__ import annotations

import re

from vetrina.web.i18n import say

# The first match wins: browsers also name the ones that they descend from.
_PROGRAMS = (
    ("Edge", r"\bEdgA?/|\bEdgiOS/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\bFirefox/|\bFxiOS/"),
    ("Chrome", r"\bChrome/|\bChromium/|\bCriOS/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("macOS", r"\bMac OS X\b|\bMacintosh\b"),
    ("Linux", r"\bLinux\b|\bX11\b"),
)


def title(user_agent: str | None) -> str:
    """Return a label such as "Firefox on Linux", or the program's own name."""
    if not user_agent:
        return say("A program without a name")
    program = _first(_PROGRAMS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if program:
        return say("{program} on {system}", program=program, system=system) if system else program
    name = re.match(r"[\w.-]{1,40}", user_agent)
    return say("{name}, a program", name=name.group()) if name else say("A program")


def _first(patterns: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for name, pattern in patterns if re.search(pattern, text)), None)
