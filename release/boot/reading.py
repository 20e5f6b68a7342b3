"""What is certain of a start without starting: where this machine would show something else."""

import platform
from errno import ENOENT
from typing import Final

from imagecheck.finding import finding_of
from imagecheck.function import Architecture
from imagecheck.image.image import FaultKind, Image
from imagecheck.rules import BY_ID
from imagecheck.start.exec_chain import Cause
from imagecheck.subject import Subject
from local.image_sandbox import exec_error
from release.boot.answer import Failure, machine_of
from release.errors import CannotDoError

_CPUS: Final[dict[str, Architecture]] = {
    "aarch64": "arm64",
    "amd64": "x86_64",
    "arm64": "arm64",
    "x86_64": "x86_64",
}


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
    if argv and not (chain and chain.cause is Cause.NOT_ON_PATH):
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
    if not chain or chain.cause is not Cause.WRONG_MACHINE:
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


def require_cpu_of(subject: Subject) -> Failure | None:
    """See that this machine can start it; if not, say what reading alone tells of the start.

    Raises:
        CannotDoError: the function has another CPU, and nothing is seen to be wrong.

    """
    wanted, here = subject.function.architecture, this_cpu()
    if wanted == here:
        return None
    chain = subject.chain
    if chain and chain.cause and chain.errno:
        message = f"{exec_error(subject.start.argv, chain.errno)} ({chain}: {chain.end})"
        return Failure("Runtime.InvalidEntrypoint", message, "init")
    raise CannotDoError(
        f"the function is {wanted} and this machine is {here or platform.machine()}: boot where the"
        f" CPU is {wanted}, such as on an {wanted} runner of the pipeline. An emulator such as QEMU"
        " would start what Lambda does not. What can be read of the image without starting it,"
        " `check` says"
    )


def this_cpu() -> Architecture | None:
    """Return this machine's CPU in Lambda's word; None: Lambda has none like it."""
    return _CPUS.get(platform.machine().lower())
