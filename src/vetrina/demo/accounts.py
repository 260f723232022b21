"""`vetrina demo accounts`: who comes in and how, chapter by chapter; each chapter is a file of its own."""

from __future__ import annotations

from vetrina.demo.chapters import privacy as belongings
from vetrina.demo.chapters import profiles as faces
from vetrina.demo.chapters import sign_in as doors
from vetrina.demo.runner import Story

CHAPTERS = (doors.tell, faces.tell, belongings.tell)
"""Told in this order, to one site; each begins with nobody signed in."""


def tell(story: Story) -> None:
    """The whole story. Raises Lie at the first thing that is not so."""
    for chapter in CHAPTERS:
        story.client.headers.pop("Authorization", None)
        chapter(story)
