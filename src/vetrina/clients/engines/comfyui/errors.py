"""Errors of a ComfyUI server that refuses or does not finish a workflow, mapped to messages for the user.

Shapes from ComfyUI's execution.py: `{"error": {"type", "message", "details"}, "node_errors": {id:
{"class_type", "errors": [{"type", "message", "details", "extra_info"}]}}}`, older ones with a bare
string as the error.
"""

from __future__ import annotations

from typing import Any

import msgspec

from vetrina.clients.engines.base import EngineRefused, EngineUnavailable

NO_MODEL = "The ComfyUI server has no model installed. Please tell the operator."
TELL_OPERATOR = "Please tell the operator."


class _Problem(msgspec.Struct):
    type: str = ""
    message: str = ""
    details: str = ""
    extra_info: dict[str, Any] = {}

    @property
    def input(self) -> str:
        return str(self.extra_info.get("input_name") or "")


class _NodeErrors(msgspec.Struct):
    class_type: str = ""
    errors: list[_Problem] = []


class _Refusal(msgspec.Struct):
    error: _Problem | str = ""
    node_errors: dict[str, _NodeErrors] | list[str] = {}


def describe_refusal(path: str, status: int, body: bytes) -> str:
    """Return why a call was refused (any status from 300 to 499)."""
    if status in (401, 403):
        return f"The ComfyUI server does not let this site in. {TELL_OPERATOR}"
    if status == 413:
        return "A photograph is larger than the ComfyUI server takes. Try a smaller one."
    if status < 400:
        return f"The ComfyUI server points to another address, which we do not follow. {TELL_OPERATOR}"
    if path == "/view":
        return f"The ComfyUI server made a picture but does not hand it out. {TELL_OPERATOR}"
    if path == "/prompt":
        try:
            return _describe_refusal(msgspec.json.decode(body, type=_Refusal))
        except msgspec.DecodeError:
            pass
    return f"The ComfyUI server did not accept the request ({status}). {TELL_OPERATOR}"


def _describe_refusal(refusal: _Refusal) -> str:
    nodes = refusal.node_errors
    for node in nodes.values() if isinstance(nodes, dict) else ():
        for problem in node.errors:
            return _describe_problem(node.class_type, problem)
    if isinstance(refusal.error, str):
        return f"The ComfyUI server did not accept the workflow: {refusal.error[:200]}. {TELL_OPERATOR}"
    message = refusal.error.message
    if refusal.error.type == "missing_node_type" or "does not exist" in message:
        return f"The ComfyUI server lacks a building block of this style's workflow. {message[:200]} {TELL_OPERATOR}"
    if refusal.error.type == "prompt_no_outputs":
        return f"This style's workflow saves no picture. {TELL_OPERATOR}"
    return f"The ComfyUI server did not accept the workflow: {message[:200]}. {TELL_OPERATOR}"


def _describe_problem(node: str, problem: _Problem) -> str:
    if problem.input == "ckpt_name":
        received = problem.extra_info.get("received_value", "")
        return f"The ComfyUI server does not have the model {received}. {TELL_OPERATOR}"
    if node == "LoadImage":
        return "The ComfyUI server could not read one of the photographs. Try another one."
    if problem.type in ("value_smaller_than_min", "value_bigger_than_max", "value_not_in_list"):
        setting = problem.input or "a setting"
        return f"The ComfyUI server does not take this value for {setting} of {node}. {TELL_OPERATOR}"
    return f"The ComfyUI server did not accept the step {node}: {problem.message[:200]}. {TELL_OPERATOR}"


def run_error(event: str, data: dict[str, Any]) -> EngineRefused | EngineUnavailable:
    """Return what to raise for a run without a picture: `execution_error` or `execution_interrupted`."""
    if event == "execution_interrupted":
        return EngineUnavailable("The picture was interrupted at the ComfyUI server.")
    step = str(data.get("node_type") or "unknown")
    if "OutOfMemory" in str(data.get("exception_type")):
        return EngineRefused("The ComfyUI server ran out of graphics memory. Choose a smaller size and try again.")
    return EngineRefused(f"The ComfyUI server could not finish the picture: the step {step} failed. {TELL_OPERATOR}")
