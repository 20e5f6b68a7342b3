"""The rule for code that writes where Lambda's file system is read-only: D6."""

import re
from collections.abc import Iterator
from typing import Final

from imagecheck.rules import BY_ID
from release.diagnosis.cause import Evidence, FailureCause, Remedy, seen
from release.diagnosis.remedies import deploy_with, release_command
from release.diagnosis.rules.start_failures import PERMISSION_DENIED, check_source, way_back
from release.diagnosis.version_facts import Symptom, VersionFacts, evidence_of

_READ_ONLY: Final = re.compile(
    r"read-?only[ -]?file[ -]?system|\bEROFS\b|\b(?:errno|os error) 30\b|readonly database", re.I
)
"""As Python, Node, Java, Go, Rust, Ruby, .NET, shells and SQLite say it."""
_NO_HOME: Final = "/home/sbx_user"
"""Lambda's user has a home folder by name only, so what looks for it finds nothing."""
_PATH: Final = re.compile(r"(?<![\w.:/-])/[\w.@+~-][^\s'\"\u2019,;:()]*")
_HOMES: Final = ("/home/", "/root/")
_WRITABLE: Final = ("/tmp/", "/mnt/")  # noqa: S108


def writes_outside_of_tmp(version: VersionFacts) -> Iterator[FailureCause]:
    """D6: of whatever language, while it is loaded or later."""
    symptoms = version.with_(is_read_only)
    if symptoms and not any(one.type for one in symptoms):
        # What is only printed may be a warning, where nothing ends because of it.
        ended = version.of_type("Runtime.ExitError")
        symptoms = (*symptoms, *ended) if ended else ()
    if not symptoms:
        return
    path = next(filter(None, map(_written, symptoms)), "")
    what = path or "a folder outside of /tmp"
    yield FailureCause(
        name="image-d6",
        title=f"The code writes to {what}, and only /tmp can be written",
        likelihood=version.likelihood(symptoms),
        error_type=next((one.type for one in symptoms if one.type), "") or BY_ID["D6"].error_type,
        rule="D6",
        evidence=(*evidence_of(symptoms), *_of_check(version)),
        fix=(*way_back(version), *_fix(version, path)),
        explanation="On Lambda the whole file system but /tmp is read-only, and the home folder"
        " /home/sbx_user1051 is not there. Under plain `docker run` the same image works.",
    )


def is_read_only(symptom: Symptom) -> bool:
    """Whether a failure is that of a write outside of /tmp."""
    said = f"{symptom.type} {symptom.message} {symptom.cause}"
    path = _written(symptom)
    if _READ_ONLY.search(said):
        return bool(path) or not _PATH.search(said)
    # A home folder may be missing, or be that of root: neither is a matter of the image's modes.
    is_denied = symptom.has(*PERMISSION_DENIED) and f"{path}/".startswith(_HOMES)
    return _NO_HOME in path or is_denied


def _written(symptom: Symptom) -> str:
    """Return the first path that a failure names and that cannot be written; empty where none."""
    paths = _PATH.findall(f"{symptom.message} {symptom.cause}")
    return next((one for one in paths if not f"{one}/".startswith(_WRITABLE)), "")


def _fix(version: VersionFacts, path: str) -> Iterator[Remedy]:
    stage = version.stage
    if path and not f"{path}/".startswith(_HOMES):
        made = "" if version.is_zip else ", or while the image is built"
        yield Remedy(f"write below /tmp what is written to {path}{made}")
    elif version.is_zip:
        yield deploy_with(stage, "set HOME to /tmp for the function in stacks/rooms_stack.py")
        return
    else:
        yield Remedy(
            "set ENV HOME=/tmp in lambda_src/Dockerfile, or the library's own variable for its"
            " cache; or fill the cache while the image is built, and name that folder"
        )
    if version.is_zip:
        yield Remedy("deploy", release_command("deploy", stage, "--packaging", "zip"))
    else:
        yield Remedy("build it again", release_command("build", stage))


def _of_check(version: VersionFacts) -> tuple[Evidence, ...]:
    image = version.image
    if image is None:
        return ()
    return tuple(
        seen(check_source(image), finding.found)
        for finding in image.findings
        if finding.rule == "D6"
    )
