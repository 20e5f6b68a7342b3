"""Runs the steps of a release in their order, and stops at the first that says no."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TextIO

import msgspec
import typer

from config.project import Project
from imagecheck.errors import CommandError, FailedError
from imagecheck.terminal import messages_to, printable
from release.build.record import BUILD
from release.deploy.cancel_deployment import InterruptedDeploymentError
from release.deploy.signals import ignored_signals
from release.errors import RefusedError
from release.ship.aws_steps import BOOTSTRAP, DEPLOY, PAGE, REGISTRY, SMOKE
from release.ship.image_steps import BOOT, BUILD_IMAGE, CHECK, COMMIT, PIN, PROMOTE, PUSH, SYNTH
from release.ship.progress import running, show_done, show_failed, show_planned, show_skipped
from release.ship.shipment import Shipment
from release.ship.step import Step
from release.ship.times import note_time, read_times

LOG: Final = BUILD / "ship.log"
"""Where the output of every step goes, below the project's root."""
BUILT: Final = (
    BOOTSTRAP, BUILD_IMAGE, SYNTH, REGISTRY, CHECK, BOOT, PUSH, PIN, COMMIT, DEPLOY, PAGE, SMOKE,
)  # fmt: skip
"""The steps for a stage whose image is built."""
PROMOTED: Final = (BOOTSTRAP, SYNTH, REGISTRY, PROMOTE, COMMIT, DEPLOY, PAGE, SMOKE)
"""The steps for a stage that gets the image of another."""
WITHOUT_AWS: Final = (BUILD_IMAGE, SYNTH, CHECK, BOOT)
"""The steps that need no AWS account; `--until` ends them at one."""


Outcome = Literal["done", "skipped", "planned", "failed"]


class ShipStepResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A step. ``seconds`` is null where it was not run: it had nothing to do, or was planned."""

    name: str
    outcome: Outcome
    seconds: float | None
    detail: str


@dataclass
class Journey:
    """Ships stages one after the other; ``taken`` are the steps so far, by stage."""

    project: Project
    log: TextIO
    dry_run: bool
    taken: dict[str, list[ShipStepResult]] = field(default_factory=dict)

    def ship(self, shipment: Shipment, steps: Sequence[Step]) -> None:
        """Run the steps that are missing.

        Raises:
            RefusedError: a gate says no, or a question was answered with no.
            FailedError: a step could not be done.
            KeyboardInterrupt: it was interrupted; the lock file is as it was, unless the image is
                live already. The message says so.

        """
        self.taken[shipment.stage.name] = []
        try:
            for step in steps:
                self._take(shipment, step)
        except KeyboardInterrupt as interruption:
            with ignored_signals():
                raise _interrupted(shipment, interruption) from None
        finally:
            with ignored_signals():
                shipment.close()

    def _take(self, shipment: Shipment, step: Step) -> None:
        with messages_to(self.log):
            reason = step.done(shipment)
        if reason is None and not self.dry_run:
            reason = _declined(shipment, step)
        if reason is not None:
            show_skipped(step.name, reason)
            self._note(shipment, step, "skipped", reason)
        elif self.dry_run:
            show_planned(step.name, read_times(self.project.root).get(step.name))
            self._note(shipment, step, "planned", "")
            if step is BUILD_IMAGE:
                # What it gives is not known before.
                shipment.record = None
        else:
            self._run(shipment, step)

    def _run(self, shipment: Shipment, step: Step) -> None:
        self.log.write(f"\n== {shipment.stage.name}: {step.name}\n")
        start, root = self.log.tell(), self.project.root
        began = time.monotonic()
        try:
            with running(step.name, read_times(root).get(step.name)), messages_to(self.log):
                detail = step.run(shipment)
        except KeyboardInterrupt:
            show_failed(step.name, time.monotonic() - began, "interrupted")
            raise
        except CommandError as error:
            seconds = time.monotonic() - began
            show_failed(step.name, seconds, "stopped")
            self._note(shipment, step, "failed", error.message, seconds)
            if step.runs_cdk:
                self._show_log(start)
            raise _stopped(shipment, step, error) from error
        seconds = time.monotonic() - began
        show_done(step.name, seconds, detail)
        note_time(root, step.name, seconds)
        self._note(shipment, step, "done", detail, seconds)

    def _note(
        self,
        shipment: Shipment,
        step: Step,
        outcome: Outcome,
        detail: str,
        seconds: float | None = None,
    ) -> None:
        taken = ShipStepResult(
            name=step.name,
            outcome=outcome,
            seconds=None if seconds is None else round(seconds, 1),
            detail=detail,
        )
        self.taken[shipment.stage.name].append(taken)

    def _show_log(self, start: int) -> None:
        self.log.flush()
        text = Path(self.log.name).read_bytes()[start:].decode("utf-8", "replace")
        typer.echo(printable(text.rstrip(), keep="\n"), err=True)


def _declined(shipment: Shipment, step: Step) -> str | None:
    """Ask the person where a step needs that; return why it is left out, if it is.

    Raises RefusedError where it cannot be left out.
    """
    options = shipment.options
    if options.yes or step not in (BOOTSTRAP, COMMIT):
        return None
    if step is COMMIT:
        question = f"Commit {shipment.project.lock.name}?"
        return None if confirmed(question) else "you commit the lock file yourself"
    missing = f"{' or '.join(shipment.environments)} is not bootstrapped for the CDK"
    if options.ask and confirmed(f"{missing}. Bootstrap it?"):
        return None
    raise RefusedError(
        f"{missing}, so nothing was done",
        hint=f"npx cdk bootstrap {' '.join(shipment.environments)}\n{options.again}",
    )


def confirmed(question: str, *, default: bool = True) -> bool:
    """Ask a person at the terminal; ``default`` is what the return key says."""
    return typer.confirm(question, default=default, err=True)


def _stopped(shipment: Shipment, step: Step, error: CommandError) -> CommandError:
    """Return the error of a gate. Its last hint is the one command that goes on."""
    is_no = error.exit_status == 1
    kind = RefusedError if is_no else FailedError
    # Its own commands run one gate; `ship` runs what is missing.
    hints = [line for line in (error.hint or "").splitlines() if "python -m release" not in line]
    if is_no and step in (DEPLOY, SMOKE):
        hints.append(f"python -m release diagnose {shipment.stage.name}")
    elif is_no and step in (BUILD_IMAGE, CHECK, BOOT):
        hints.append(f"fix it and commit, then go on: {shipment.options.again}")
    else:
        hints.append(shipment.options.again)
    return kind(
        f"stopped at {step.name}: {error.message}",
        hint="\n".join(hints),
        details={"step": step.name, **error.details},
    )


def _interrupted(shipment: Shipment, interruption: KeyboardInterrupt) -> KeyboardInterrupt:
    stage, change = shipment.stage.name, shipment.lock_change
    again, name = shipment.options.again, shipment.project.lock.name
    if isinstance(interruption, InterruptedDeploymentError):
        outcome = interruption.outcome
        is_back = not outcome.completed and change.take_back(shipment.pin)
        lock = f"; {name} is as it was" if is_back else ""
        return KeyboardInterrupt("\n".join((f"{outcome.message}{lock}", outcome.hint or again)))
    if shipment.deployed:
        live = f"but version {shipment.deployed.after.version} is live at {stage}"
        return KeyboardInterrupt(f"{live}\n{again}")
    if change.take_back(shipment.pin):
        return KeyboardInterrupt(f"{name} and what is live at {stage} are as they were\n{again}")
    return KeyboardInterrupt(f"what is live at {stage} is as it was\n{again}")
