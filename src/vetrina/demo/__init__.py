"""Demos: complete scenarios over HTTP with real photographs, and an account with finished work."""

from __future__ import annotations

from vetrina.core.module import Command, Module

MODULE = Module(
    "demo",
    commands=(
        Command(
            "demo",
            "vetrina.demo.commands:app",
            "Run a demo over HTTP on real input, step by step.",
        ),
    ),
)
