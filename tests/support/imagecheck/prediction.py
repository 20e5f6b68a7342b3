"""A check's prediction of a start and the start itself, in the same words."""

import errno
import json
import re
from dataclasses import dataclass

from imagecheck.check import Report
from imagecheck.function import Function, split_variable
from imagecheck.rule import START
from tests.support.imagecheck.cases import Case, Written
from tests.support.imagecheck.images import Image
from tests.support.imagecheck.starting import Started, start

_ERRNO = re.compile(rf"\b(?:{'|'.join(errno.errorcode.values())})\b")
_EXIT_STATUS = re.compile(r"exit status (\d+)")


@dataclass(frozen=True)
class Outcome:
    """How a start ends."""

    error_type: str
    """As Lambda calls it; empty when it asks for an event, or ends with exit status 0."""
    errno: str = ""
    exit_status: int | None = None
    """Not everybody tells it."""

    def __str__(self) -> str:
        status = f"exit status {self.exit_status}" if self.exit_status is not None else ""
        return " ".join(filter(None, (self.error_type, self.errno, status))) or "starts"

    def agrees_with(self, happened: "Outcome") -> bool:
        """Whether what the user is told, ``self``, is what happened."""
        return (
            self.error_type == happened.error_type
            and self.errno == happened.errno
            and self.exit_status in (None, happened.exit_status)
        )


def prediction(report: Report) -> Outcome:
    """Return what the first error tells the user of the start."""
    first = next((f for f in report.findings if f.severity == "error" and f.when == START), None)
    if first is None:
        return Outcome("")
    text = first.found
    chain = report.subject.chain
    if first.rule in ("C3", "C4", "C14") and chain and chain.errno:
        # These say what is wrong with the command, whatever the kernel says to it.
        text = errno.errorcode[chain.errno]
    # What fails after the start can have met an errno, but a process only ends with a status.
    ends = first.error_type in ("Runtime.ExitError", "Extension.Crash")
    named = None if ends else _ERRNO.search(text)
    status = _EXIT_STATUS.search(text)
    return Outcome(first.error_type, named[0] if named else "", int(status[1]) if status else None)


def experience(case: Case, written: Written) -> Outcome:
    """Start the image as its configuration and the function say."""
    command, workdir, env = start_of(written.image, written.function)
    started = start(
        written.image,
        [case.extension] if case.extension else command,
        workdir="/" if case.extension else workdir,
        env=env,
    )
    if case.extension and started.errno:
        return Outcome("Extension.LaunchError", errno.errorcode[started.errno])
    if case.extension and started.error_type == "Runtime.ExitError" and started.exit_status:
        # A stand-in that ends with 0 was started, which is all that it is for.
        return Outcome("Extension.Crash", "", started.exit_status)
    return outcome(started)


def outcome(started: Started) -> Outcome:
    if started.error_type == "Runtime.ExitError" and started.exit_status == 0:
        return Outcome("")
    name = errno.errorcode[started.errno] if started.errno else ""
    return Outcome(started.error_type, name, started.exit_status)


def start_of(image: Image, function: Function) -> tuple[list[str], str, dict[str, str]]:
    """Return command, working directory and environment, without help of what is tested."""
    manifest = json.loads(image.blob(image.digest).read_bytes())
    config = json.loads(image.blob(manifest["config"]["digest"]).read_bytes())["config"]
    entrypoint = function.entrypoint or config.get("Entrypoint") or ()
    command = [*entrypoint, *(function.command or config.get("Cmd") or ())]
    env = dict(split_variable(item) for item in config.get("Env", ()))
    return command, function.workdir or config.get("WorkingDir", ""), env
