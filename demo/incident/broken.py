"""The broken releases: what is wrong with each, and which gates stop it.

Each is a commit of somebody who means well. ``stops`` has a pattern for the message of every gate
that must stop the release; the other gates cannot detect it and let it pass. The last gate,
``deploy``, stops them all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from demo.incident.checkout import Checkout

Gate = Literal["build", "check", "boot", "deploy"]

DOCKERFILE = "lambda_src/Dockerfile"
MAIN = "lambda_src/rooms/main.py"
ENTRYPOINT = """#!/bin/sh
export _HANDLER="$1"
exec /var/runtime/bootstrap
"""
_HOOK = "^error: stopped by the pre-traffic hook"


@dataclass(frozen=True, kw_only=True)
class Bases:
    """Base images in the registry, as FROM names them."""

    good: str
    lying: str
    """By digest. Its configuration names this machine's CPU, but its programs are for another."""
    floating: str
    """By tag. The tag named the good one before; now it names one for another CPU."""


@dataclass(frozen=True, kw_only=True)
class BrokenRelease:
    """A release that does not work."""

    title: str
    story: str
    """The change that somebody made."""
    change: Callable[[Checkout, Bases], None]
    stops: Mapping[Gate, str]
    """By gate: a pattern for a line of its message."""
    cause: str
    """A pattern for the first cause that `diagnose` then names."""


def _floating_base(checkout: Checkout, bases: Bases) -> None:
    checkout.replace(DOCKERFILE, bases.good, bases.floating)
    _run_nothing_in_the_build(checkout)


def _lying_base(checkout: Checkout, bases: Bases) -> None:
    checkout.replace(DOCKERFILE, bases.good, bases.lying)
    _run_nothing_in_the_build(checkout)


def _run_nothing_in_the_build(checkout: Checkout) -> None:
    """Remove the RUN steps: the story's laptop runs programs of that CPU, this machine does not."""
    text = checkout.read(DOCKERFILE)
    start, end = text.index("ARG PYTHON_VERSION"), text.index("CMD [")
    checkout.write(DOCKERFILE, text[:start] + text[end:])


def _entrypoint_missing(checkout: Checkout, _: Bases) -> None:
    checkout.replace(DOCKERFILE, "CMD [", 'ENTRYPOINT ["/lambda-entrypoint"]\nCMD [')


def _entrypoint_of_ours(checkout: Checkout, content: str, mode: int) -> None:
    checkout.write("lambda_src/lambda-entrypoint.sh", content)
    (checkout.root / "lambda_src/lambda-entrypoint.sh").chmod(mode)
    ignored = checkout.read("lambda_src/.dockerignore")
    checkout.write("lambda_src/.dockerignore", f"{ignored}!lambda-entrypoint.sh\n")
    checkout.replace(DOCKERFILE, "CMD [", "COPY lambda-entrypoint.sh /\nCMD [")


def _entrypoint_not_executable(checkout: Checkout, _: Bases) -> None:
    _entrypoint_of_ours(checkout, ENTRYPOINT, 0o644)


def _entrypoint_from_windows(checkout: Checkout, _: Bases) -> None:
    _entrypoint_of_ours(checkout, ENTRYPOINT.replace("\n", "\r\n"), 0o755)


def _handler_path(checkout: Checkout, _: Bases) -> None:
    checkout.replace(DOCKERFILE, '"rooms.main.handler"', '"rooms.main.lambda_handler"')


def _module_missing(checkout: Checkout, _: Bases) -> None:
    checkout.replace(MAIN, "import os\n", "import os\nimport rooms.quiz\n")


def _unreadable(checkout: Checkout, _: Bases) -> None:
    checkout.replace(DOCKERFILE, "COPY rooms/", "COPY --chmod=0600 rooms/")


def _answers_500(checkout: Checkout, _: Bases) -> None:
    checkout.replace("lambda_src/rooms/handlers.py", "request.body.host_name", "request.body.name")


def _other_table(checkout: Checkout, _: Bases) -> None:
    checkout.replace(MAIN, 'os.environ["ROOMS_TABLE"]', 'os.environ["ROOMS_TABLE"] + "-v2"')


BROKEN_RELEASES = (
    BrokenRelease(
        title="Another CPU, after a fresh pull of a floating base",
        story="The Dockerfile names the base by a tag again, and the tag has moved: this broke the"
        " old system.",
        change=_floating_base,
        stops={
            "build": r"Dockerfile.*(digest|tag)",
            "check": r"✗ C[12] ",
            "boot": r"Runtime\.InvalidEntrypoint",
            "deploy": rf"{_HOOK}.*Runtime\.InvalidEntrypoint",
        },
        cause="files of another CPU",
    ),
    BrokenRelease(
        title="A configuration for one CPU over files of another",
        story="The base is named by digest, but whoever made it copied programs of another CPU"
        " into it. Its configuration does not show that.",
        change=_lying_base,
        stops={
            "check": r"✗ C2 ",
            "boot": r"Runtime\.InvalidEntrypoint",
            "deploy": rf"{_HOOK}.*Runtime\.InvalidEntrypoint",
        },
        cause="files of another CPU",
    ),
    BrokenRelease(
        title="The entrypoint is missing",
        story="Somebody tidied up the Dockerfile. ENTRYPOINT names a file that the image lacks.",
        change=_entrypoint_missing,
        stops={
            "check": r"✗ C6 ",
            "boot": r"fork/exec .*: no such file or directory",
            "deploy": rf"{_HOOK}.*Runtime\.InvalidEntrypoint",
        },
        cause="the entrypoint is missing",
    ),
    BrokenRelease(
        title="The entrypoint is not executable",
        story="An entrypoint of our own came into the repository without its executable bit.",
        change=_entrypoint_not_executable,
        stops={
            "check": r"✗ C7 ",
            "boot": r"fork/exec .*: permission denied",
            "deploy": rf"{_HOOK}.*Runtime\.InvalidEntrypoint",
        },
        cause="the entrypoint is not executable",
    ),
    BrokenRelease(
        title="The entrypoint has Windows line ends",
        story="The same file, saved by an editor that writes CRLF.",
        change=_entrypoint_from_windows,
        stops={
            "check": r"✗ C9 ",
            "boot": r"fork/exec .*: no such file or directory",
            "deploy": rf"{_HOOK}.*Runtime\.InvalidEntrypoint",
        },
        cause="Windows line ends",
    ),
    BrokenRelease(
        title="The handler's path is wrong",
        story="CMD names a function that the module does not have. The old team suspected this,"
        " but its symptom is another: the image starts.",
        change=_handler_path,
        stops={
            "check": r"✗ E3 ",
            "boot": r"Runtime\.HandlerNotFound",
            "deploy": rf"{_HOOK}.*Runtime\.HandlerNotFound",
        },
        cause="the handler's function is missing",
    ),
    BrokenRelease(
        title="A module is missing",
        story="The handler imports a module that was never committed.",
        change=_module_missing,
        stops={
            "check": r"✗ E2 ",
            "boot": r"Runtime\.ImportModuleError",
            "deploy": rf"{_HOOK}.*Runtime\.ImportModuleError",
        },
        cause="the handler's module cannot be imported",
    ),
    BrokenRelease(
        title="Files that Lambda's user may not read",
        story="COPY --chmod gave the code to root alone; on a laptop everything runs as root.",
        change=_unreadable,
        stops={
            "check": r"✗ E6 ",
            "boot": r"init: PermissionError",
            "deploy": rf"{_HOOK}.*PermissionError",
        },
        cause="may not read",
    ),
    BrokenRelease(
        title="It starts, and answers 500",
        story="A field was renamed in one of two places. The image does not show that.",
        change=_answers_500,
        stops={
            "boot": r"status 500 INTERNAL_ERROR",
            "deploy": rf"{_HOOK}.*create: status 500 INTERNAL_ERROR",
        },
        cause="server error: AttributeError",
    ),
    BrokenRelease(
        title="It starts, and cannot reach its table",
        story="The code reads a table that does not exist.",
        change=_other_table,
        stops={
            "boot": r"status 503 UNAVAILABLE",
            "deploy": rf"{_HOOK}.*create: status 503 UNAVAILABLE",
        },
        cause="uses another table",
    ),
)
