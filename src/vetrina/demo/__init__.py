"""Demonstrations: whole stories over HTTP on real photographs, and an account with finished work."""

from __future__ import annotations

from vetrina.core.module import Command, Module

MODULE = Module(
    "demo",
    commands=(
        Command(
            "demo",
            "vetrina.demo.commands:app",
            "`vetrina demo NAME`: a system's whole story on real input, told over HTTP step by step.",
        ),
    ),
)
