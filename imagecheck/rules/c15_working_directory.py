"""The working directory is wrong."""

import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image.filesystem import PathError
from imagecheck.image.layer import FileKind
from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule
from imagecheck.start.exec_chain import errno_name

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_COVERED = ("/tmp/", "/dev/", "/proc/", "/sys/")  # noqa: S108
_FIX = "WORKDIR /var/task in the Dockerfile, and no other in ImageConfig"


def check(subject: "Subject") -> Iterator[Problem]:
    """Enter it as Lambda does."""
    workdir = subject.start.workdir
    if not subject.files:
        return
    if not workdir:
        yield Problem("there is no working directory", _FIX, severity="warning")
    elif not workdir.startswith("/"):
        yield Problem(f"the working directory {workdir!r} is not an absolute path", _FIX)
    else:
        yield from _entered(subject, workdir)


def _entered(subject: "Subject", workdir: str) -> Iterator[Problem]:
    assert subject.files  # noqa: S101  (asked by the caller)
    try:
        node = subject.files.resolve(workdir).node
    except PathError as wrong:
        name = errno_name(wrong.errno)
        is_closed = wrong.errno == errno.EACCES
        yield Problem(
            f"the working directory {workdir} cannot be entered: {name} at {wrong.at}",
            _FIX,
            error_type=INVALID_ENTRYPOINT if is_closed else None,
        )
        return
    if workdir.startswith(_COVERED):
        yield Problem(
            f"the working directory {workdir} is in a folder that Lambda mounts something over",
            "put it elsewhere: the function's own folders are /var/task and /opt",
            severity="warning",
        )
    # Lambda looks whether it is there; that it cannot be entered shows when the start fails.
    if node.kind is not FileKind.DIRECTORY:
        found = f"the working directory {workdir} is a {node.kind} (ENOTDIR)"
        yield Problem(found, _FIX, error_type=INVALID_ENTRYPOINT)
    elif not node.is_executable():
        found = f"the working directory {workdir} has mode {node.entry.mode:04o} (EACCES)"
        yield Problem(found, f"RUN chmod a+rx {workdir}", error_type=INVALID_ENTRYPOINT)


RULE = Rule(
    id="C15",
    title="The working directory is wrong",
    severity="error",
    error_type="Runtime.InvalidWorkingDir",
    when=START,
    why=(
        "Lambda checks that the working directory exists, and then enters it as a user who owns"
        " nothing. The folder has to be absolute, in the image, and open to everybody, with all"
        " folders above it. Unlike Docker, Lambda does not create it."
    ),
    fix=("WORKDIR /var/task in the Dockerfile, or chmod a+rx on the folder and those above it."),
    source="https://github.com/aws/aws-lambda-runtime-interface-emulator/blob/main/internal/lambda-managed-instances/rapid/handlers.go",
    bad="""\
WORKDIR /home/nonroot   # of mode 0700
""",
    good="""\
WORKDIR /var/task
""",
    is_first=True,
    check=check,
)
