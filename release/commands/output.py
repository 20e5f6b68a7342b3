"""Prints results of commands: as text, or as JSON in the envelope that all commands share."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import typer

from config.image_lock import ImagePin
from contract.run import ContractStep
from imagecheck.envelope import envelope
from imagecheck.terminal import print_answer, warn


def print_result(
    command: str, result: msgspec.Struct, text: str, *, json: bool, ok: bool = True
) -> None:
    """Print the text, or with ``json`` the result. ``ok`` is false where the exit status is 1."""
    print_answer(envelope(command, result_fields(result), ok=ok) if json else text)


def result_fields(result: msgspec.Struct) -> dict[str, Any]:
    """Return a result as JSON has it: what an error carries that comes with one."""
    fields: dict[str, Any] = msgspec.to_builtins(result)
    return fields


def step_lines(steps: Sequence[ContractStep]) -> list[str]:
    """Return a line for each step of a contract test: its name, status and milliseconds."""
    width = max((len(step.name) for step in steps), default=0)
    return [f"{step.name:{width}}  {step.status}  {step.milliseconds:7.1f} ms" for step in steps]


def pin_text(stage: str, pin: ImagePin, lock: str) -> str:
    """Return a new pin as text, with the commands that come next."""
    return "\n".join(
        (
            typer.style(f"{stage}: {pin.digest}", bold=True),
            f"  image    {pin.architecture}",
            f"  base     {pin.base_digest}",
            f"  source   {pin.source_revision}",
            f"  pinned   {pin.pinned_at}",
            "",
            f'next: git add {lock} && git commit -m "Pin {stage}"',
            f"      python -m release deploy {stage}",
        )
    )


def warn_skipped(gates: Iterable[str]) -> None:
    """Print a warning for each gate that is skipped."""
    for gate in gates:
        warn(f"SKIPPED: {gate}. This image has not passed it, and may not start.")
