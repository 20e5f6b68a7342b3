"""Files of another CPU than the image says."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import EXIT_ERROR, INVALID_ENTRYPOINT, START, Problem, Rule
from imagecheck.start.exec_chain import ExecFault
from imagecheck.start.start_problems import cannot, problems_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_FIX = "copy files of the function's CPU only: look at ADD and COPY --from"


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at the programs of the start, and at AWS's runtime."""
    if subject.is_wholly_of_another_cpu or not subject.files:
        return
    chain = subject.chain
    if chain and chain.cause is ExecFault.WRONG_MACHINE:
        type_ = None if chain.errno else EXIT_ERROR
        yield Problem(cannot(subject, chain), _FIX, error_type=type_)
    runtime = subject.runtime
    if runtime and runtime.cause is ExecFault.WRONG_MACHINE and not (chain and chain.cause):
        yield Problem(cannot(subject, runtime), _FIX, error_type=EXIT_ERROR)
    else:
        yield from problems_of(subject, "C2")
    others = [
        node.path
        for folder in ("/var/runtime", "/var/lang")
        for node in subject.files.below(folder)
        if node.entry.elf
        and node.entry.elf.machine != subject.function.machine
        # What was installed into the runtime is a package, and E7 looks at packages.
        and not any(f"/{name}/" in node.path for name in ("site-packages", "dist-packages"))
    ]
    if others:
        yield Problem(
            f"{len(others)} file(s) of the runtime are of another CPU than"
            f" {subject.function.architecture}: {', '.join(others[:3])}",
            _FIX,
            error_type=EXIT_ERROR,
        )


RULE = Rule(
    id="C2",
    title="Files of another CPU than the image says",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "The image says that it is for the function's CPU, but the program that is started, its"
        " loader or a part of the runtime is for another one. Usually such a file was copied"
        " from a stage or an image of another platform, or the wrong one was downloaded."
    ),
    fix="Copy files of the function's CPU only: check ADD, COPY --from and FROM --platform.",
    source="https://docs.docker.com/build/building/multi-platform/",
    bad="""\
FROM --platform=$BUILDPLATFORM golang AS build
RUN go build -o /server .
""",
    good="""\
FROM --platform=$BUILDPLATFORM golang AS build
ARG TARGETARCH
RUN GOARCH=$TARGETARCH go build -o /server .
""",
    check=check,
)
