"""Failures of a start that are certain from reading, where this machine would show others."""

from errno import ENOENT

from imagecheck.finding import finding_of
from imagecheck.image.image import FaultKind, Image
from imagecheck.rules import BY_ID
from imagecheck.start.exec_chain import ExecFault
from imagecheck.subject import Subject
from lambda_runtime.image_sandbox import exec_error
from release.boot.answer import Failure, machine_of
from release.boot.engine import this_cpu


def refused_by_lambda(image: Image) -> Failure | None:
    """Say what creating or updating the function with it would answer."""
    at, type_ = "create or update", "InvalidParameterValueException"
    if image.root and image.root.is_index:
        message = (
            "The image manifest, config or layer media type for the source image"
            f" {image.reference} is not supported. (It is an image index: build for one platform,"
            " with --provenance=false --sbom=false, as `build` does.)"
        )
        return Failure(type_, message, at)
    if any(fault.kind is FaultKind.NOT_THERE for fault in image.faults):
        message = f"Source image {image.reference} does not exist. Provide a valid source image."
        return Failure(type_, message, at)
    if image.faults or image.files is None:
        why = "; ".join(fault.text for fault in image.faults) or "it has no layers to read"
        return Failure("InvalidImage", f"the image cannot be unpacked: {why}", at)
    return None


def refused_command(subject: Subject) -> Failure | None:
    """Say whether there is a program to start at all."""
    argv, chain = subject.start.argv, subject.chain
    if argv and not (chain and chain.cause is ExecFault.NOT_ON_PATH):
        return None
    message = exec_error(argv, ENOENT) if argv else "Couldn't find valid bootstrap(s): []"
    return Failure("Runtime.InvalidEntrypoint", message, "init")


def refused_workdir(subject: Subject) -> Failure | None:
    """Say whether there is a working directory; Docker would make one."""
    rule = BY_ID["C15"]
    for problem in rule.check(subject):
        finding = finding_of(rule, problem)
        if finding.severity == "error":
            return Failure(finding.error_type, finding.found, "init")
    return None


def refused_by_another_cpu(subject: Subject) -> Failure | None:
    """Say how the start ends when the program's CPU is not the function's.

    The program decides, and not what the image says of itself: what is of this machine's CPU would
    start here, and an emulator may start all else.
    """
    chain = subject.chain
    if not chain or chain.cause is not ExecFault.WRONG_MACHINE:
        return None
    of = f"{chain} is {machine_of(subject)}, the function is {subject.function.architecture}"
    if chain.errno is None:
        return Failure("Runtime.ExitError", of, "init")
    return Failure(
        "Runtime.InvalidEntrypoint", f"{exec_error(subject.start.argv, chain.errno)} ({of})", "init"
    )


def refused_extension(subject: Subject) -> Failure | None:
    """Say which extension would not start; no extension is started here."""
    for rule in (BY_ID["F1"], BY_ID["F2"], BY_ID["F3"]):
        for finding in (finding_of(rule, problem) for problem in rule.check(subject)):
            if finding.severity == "error":
                return Failure(finding.error_type, finding.found, "init")
    return None


def refused_start(subject: Subject) -> Failure | None:
    """Say how the start ends where that is certain, and this machine has another CPU.

    An emulator says it in other words, or starts the program all the same.
    """
    if subject.function.architecture == this_cpu():
        return None
    chain = subject.chain
    if chain and chain.cause and chain.errno:
        message = f"{exec_error(subject.start.argv, chain.errno)} ({chain}: {chain.end})"
        return Failure("Runtime.InvalidEntrypoint", message, "init")
    return None
