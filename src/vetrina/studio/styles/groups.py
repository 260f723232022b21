"""Groups of styles, as the studio lists and filters them."""

from __future__ import annotations

from vetrina.clients.engines.base import Style
from vetrina.web.i18n import N_

GROUPS = {
    "product": N_("Product photographs"),
    "painting": N_("Painting"),
    "drawing": N_("Drawing"),
    "print": N_("Print"),
    "material": N_("Paper and glass"),
    "network": N_("Neural network"),
    "engine": N_("Painted by an AI model"),
}
"""Titles of the groups by name, in the order of the page."""

_MEMBERS = {
    "product": ("studio_composite", "studio_sweep", "studio_plinth", "studio_white", "remove_background"),
    "painting": ("watercolour", "oil", "gouache", "pastel", "pointillism"),
    "drawing": ("pencil", "charcoal", "hatching", "stipple", "engraving"),
    "print": ("risograph", "pop_art", "comic", "poster", "linocut", "cyanotype"),
    "material": ("cut_paper", "mosaic", "stained_glass", "low_poly"),
}
_GROUP_OF = {style: group for group, styles in _MEMBERS.items() for style in styles}


def group_of(style: Style) -> str:
    """Return the group of a style: its technique, or the kind of its engine for styles of other engines."""
    return _GROUP_OF.get(style.name) or ("network" if style.engine == "neural" else "engine")
