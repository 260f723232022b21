"""Styles of the OpenAI-compatible engine and the prompts that they send.

The Images API has no strength and no seed: how far a picture may change is part of the prompt,
which every compatible endpoint understands, and no style promises that a seed repeats a picture.
"""

from __future__ import annotations

import msgspec

from vetrina.clients.engines.base import EngineRefused, EngineRequest, Parameter, Style

_DISCLOSURE = (
    " Your words and photographs leave this site: they are sent to the image service that its operator"
    " chose, under that service's terms. The same seed does not give the same picture again."
)

_QUALITY = Parameter(
    name="quality",
    title="Quality",
    kind="choice",
    default="auto",
    choices=["auto", "low", "medium", "high"],
    help="Higher takes the service longer and costs the operator more.",
)
_SHAPE = Parameter(
    name="shape",
    title="Shape",
    kind="choice",
    default="auto",
    choices=["auto", "square", "landscape", "portrait"],
    help="Auto follows the first photograph.",
)
_FORMAT = Parameter(name="format", title="File format", kind="choice", default="png", choices=["png", "jpeg", "webp"])
_CHANGE = Parameter(
    name="change",
    title="How much may change",
    kind="choice",
    default="balanced",
    choices=["subtle", "balanced", "bold"],
)
_CHANGES = {
    "subtle": "Keep composition, pose and colours as they are; change as little as possible.",
    "balanced": "Keep what makes the subject recognisable; the rest may change.",
    "bold": "Be free with composition, light and colour, as long as the subject stays recognisable.",
}

_KEEP_PRODUCT = "Show the product exactly as photographed: its shape, colours, labels and lettering stay."
_KEEP_PERSON = "Keep the person's face, hair, skin and build exactly as photographed."


class StyleDefinition(msgspec.Struct, frozen=True):
    """A style and the words it adds to the prompt; `{name}` in them is the parameter of that name."""

    style: Style
    words: str


def _define(
    name: str,
    title: str,
    description: str,
    words: str,
    *own: Parameter,
    needs_product: bool = False,
    needs_model: bool = False,
    formats: list[str] | None = None,
) -> StyleDefinition:
    output_format = msgspec.structs.replace(_FORMAT, choices=formats) if formats else _FORMAT
    return StyleDefinition(
        Style(
            name=f"openai_{name}",
            title=title,
            description=description + _DISCLOSURE,
            engine="openai",
            parameters=[*own, _SHAPE, _QUALITY, output_format],
            needs_product=needs_product,
            needs_model=needs_model,
        ),
        words,
    )


def _choice(name: str, title: str, *choices: str) -> Parameter:
    return Parameter(name=name, title=title, kind="choice", default=choices[0], choices=list(choices))


DEFINITIONS = [
    _define(
        "own_words",
        "In your own words",
        "Makes just what you describe, from words alone or from your photographs.",
        "",
        _CHANGE,
    ),
    _define(
        "editorial_portrait",
        "Editorial portrait",
        "A magazine portrait of the person in your photograph, in the light that you choose.",
        "An editorial magazine portrait of this person, shot on an 85 mm lens with shallow depth of field,"
        f" {{light}}, natural skin texture, muted colour grading. {_KEEP_PERSON}",
        _choice("light", "Light", "soft window light", "hard studio light", "golden hour light"),
        _CHANGE,
        needs_model=True,
    ),
    _define(
        "product_on_marble",
        "Product on marble",
        "Your product on a polished stone slab, with a quiet wall behind it and soft light from one side.",
        "A high-end still life: the product stands on a polished {stone} marble slab before a plain wall,"
        f" soft light from the left, a gentle reflection and a grounded shadow. {_KEEP_PRODUCT}",
        _choice("stone", "Stone", "white", "black", "green", "rose"),
        needs_product=True,
    ),
    _define(
        "packshot",
        "Shop packshot",
        "Your product alone and evenly lit, on white or cut out with a see-through background.",
        "A catalogue packshot: the whole product centred and in focus from front to back, even studio"
        f" light, true colours, nothing else in the frame, {{background}} background. {_KEEP_PRODUCT}",
        _choice("background", "Background", "white", "transparent"),
        needs_product=True,
        formats=["png", "webp"],  # JPEG cannot be see-through
    ),
    _define(
        "flat_lay",
        "Flat lay",
        "Your product from straight above among a few things that suit it, neatly arranged.",
        "A flat lay photographed from straight above: the product among a few fitting props on {surface},"
        f" generous empty space, soft daylight. {_KEEP_PRODUCT}",
        _choice("surface", "Surface", "linen", "pale wood", "coloured paper", "concrete"),
        needs_product=True,
    ),
    _define(
        "in_use",
        "In daily life",
        "Your product where people would use it, photographed as if by chance.",
        "A candid lifestyle photograph: the product in use, {place}, natural light, believable scale and"
        f" perspective, background slightly out of focus. {_KEEP_PRODUCT}",
        _choice("place", "Place", "in a bright kitchen", "in a living room", "in a garden", "at a café"),
        _CHANGE,
        needs_product=True,
    ),
    _define(
        "worn_by_model",
        "On the model",
        "The person in your photograph wears or holds the product in your other photograph.",
        "A fashion photograph, {framing}: the person wears or holds the product in a natural pose, with"
        f" fitting folds, contact shadows and scale. {_KEEP_PERSON} {_KEEP_PRODUCT}",
        _choice("framing", "Framing", "half length", "full length", "close-up"),
        needs_product=True,
        needs_model=True,
    ),
    _define(
        "hand_painted",
        "Hand-painted",
        "Your photograph, or your words, as a painting or drawing by hand.",
        "A {medium} by a practised hand, with visible strokes and the grain of the paper or canvas.",
        _choice("medium", "Medium", "watercolour", "gouache painting", "oil painting", "pencil drawing"),
        _CHANGE,
    ),
]

STYLES = [definition.style for definition in DEFINITIONS]

_BY_NAME = {definition.style.name: definition for definition in DEFINITIONS}


def prompt_for(request: EngineRequest) -> str:
    """Return the prompt: the pictures' roles, the style, the user's own words, how much may change.

    Raises EngineRefused for a style of another engine, a missing photograph, or neither words nor photographs.
    """
    definition = _BY_NAME.get(request.style)
    if definition is None:
        raise EngineRefused(f"This engine has no style called {request.style!r}.")
    if definition.style.needs_product and not request.products:
        raise EngineRefused(f"{definition.style.title} needs a photograph of a product.")
    if definition.style.needs_model and not request.models:
        raise EngineRefused(f"{definition.style.title} needs a photograph of a person.")
    own = request.prompt.strip()
    pictures = request.products + request.models
    if not own and not pictures:
        raise EngineRefused("Say in a few words what the picture should show, or add a photograph.")
    parts = [_picture_roles(request), definition.words.format_map(request.parameters), own]
    if pictures:
        parts.append(_CHANGES.get(str(request.parameters.get("change", "")), ""))
    return "\n".join(part for part in parts if part)


def _picture_roles(request: EngineRequest) -> str:
    """Return which pictures show the product and which the person: the endpoint gets them in one row, products first."""
    products, models = len(request.products), len(request.models)
    if not products or not models:
        return ""
    return f"{_pictures_show(1, products)} the product; {_pictures_show(products + 1, products + models)} the person."


def _pictures_show(first: int, last: int) -> str:
    return f"Picture {first} shows" if first == last else f"Pictures {first} to {last} show"
