"""Draw the previews of the built-in styles from the demo's photographs.

    python -m scripts.previews [STYLE ...]

A seed fixes them: without a change of the engine they come out the same.
"""

from __future__ import annotations

import sys

import pyvips

from vetrina.clients.engines.builtin.previews import HEIGHT, PLAN, WIDTH, Sitting, path_of
from vetrina.clients.engines.builtin.render import render
from vetrina.demo.photos import path_of as photo_of

MOST_BYTES = 60_000


def preview(style: str, sitting: Sitting) -> bytes:
    """The style's preview as WebP, under 60 kB."""
    answer = render(
        {
            "style": style,
            "parameters": {**sitting.parameters, "size": sitting.made_at},
            "seed": sitting.seed,
            "products": [photo_of(sitting.product).read_bytes()] if sitting.product else [],
            "models": [_cropped(sitting)] if sitting.photo else [],
        },
        lambda fraction, step: None,
    )
    small = pyvips.Image.thumbnail_buffer(
        answer["images"][0], WIDTH, height=HEIGHT, size="force"
    ).copy_memory()
    for blur in (
        0.0,
        0.45,
        0.6,
        0.75,
        0.9,
        1.1,
    ):  # close pen lines are costly: soften them a little rather than smear
        soft = small.gaussblur(blur) if blur else small
        for quality in range(86, 30, -4):
            data = soft.webpsave_buffer(Q=quality, effort=6, smart_subsample=True, keep=0)
            if len(data) < MOST_BYTES:
                return data
    raise ValueError(f"the preview of {style} does not fit into {MOST_BYTES} bytes")


def _cropped(sitting: Sitting) -> bytes:
    photo = pyvips.Image.new_from_file(str(photo_of(sitting.photo)))
    tall = min(photo.height * sitting.zoom, photo.width * HEIGHT / WIDTH)
    wide = tall * WIDTH / HEIGHT
    left = min(max(sitting.x * photo.width - wide / 2, 0), photo.width - wide)
    top = min(max(sitting.y * photo.height - tall / 2, 0), photo.height - tall)
    return photo.crop(round(left), round(top), int(wide), int(tall)).pngsave_buffer(compression=1)


def main(styles: list[str]) -> None:
    for style in styles or list(PLAN):
        data = preview(style, PLAN[style])
        path_of(style).write_bytes(data)
        print(f"{style:18} {len(data):6} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
