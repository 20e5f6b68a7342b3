"""The parts that the rules about a failed start share: findings and overrides that explain it."""

from typing import Final

from imagecheck.finding import Finding
from imagecheck.rule import INVALID_IMAGE
from release.diagnosis.cause import Evidence, Remedy, seen
from release.diagnosis.image_facts import ImageFacts
from release.diagnosis.remedies import roll_back
from release.diagnosis.version_facts import Symptom, VersionFacts

ENTRYPOINT: Final = "Runtime.InvalidEntrypoint"
WORKDIR: Final = "Runtime.InvalidWorkingDir"
CLIENT_ERRORS: Final = {
    "Runtime.HandlerNotFound": "E3",
    "Runtime.ImportModuleError": "E2",
    "Runtime.MalformedHandlerName": "E1",
    "Runtime.UserCodeSyntaxError": "E4",
    "Runtime.BuiltInModuleConflict": "E5",
}
"""The error types of the runtime client, and the rule that `check` has for each."""
PERMISSION_DENIED: Final = ("Permission denied", "PermissionError")


def explains(finding: Finding, symptom: Symptom) -> bool:
    """Whether a finding of `check` is the cause of a symptom."""
    if finding.rule == "E6":
        return symptom.has(*PERMISSION_DENIED) and symptom.type != ENTRYPOINT
    if symptom.type == INVALID_IMAGE:
        # Those of the image's format: Lambda's words for them differ with the moment.
        return finding.rule.startswith("B")
    if finding.error_type == symptom.type:
        return not symptom.has("signal: killed")
    return finding.rule == "C5" and symptom.type == ENTRYPOINT


def is_explained(version: VersionFacts, symptoms: tuple[Symptom, ...]) -> bool:
    """Whether a finding or the override is the cause of symptoms."""
    if version.works_now:
        return False
    findings = version.image.errors if version.image else ()
    return any(explains(finding, symptom) for finding in findings for symptom in symptoms) or any(
        may_come_of_override(version, symptom) for symptom in symptoms
    )


def may_come_of_override(version: VersionFacts, symptom: Symptom) -> bool:
    """Whether the function's ImageConfig can be the cause of a symptom."""
    override = version.function.override if version.function else None
    if override is None:
        return False
    if symptom.type in (ENTRYPOINT, WORKDIR):
        return True
    if symptom.type in CLIENT_ERRORS and (override.command or override.workdir):
        return True
    return any(explains(finding, symptom) for finding in findings_of_override(version))


def findings_of_override(version: VersionFacts) -> tuple[Finding, ...]:
    """Return the errors that only the function's ImageConfig makes."""
    found = version.image.by_override if version.image else ()
    return tuple(finding for finding in found if finding.severity == "error")


def explanation_of(error_type: str) -> str:
    """Return what is easily mistaken about an error type of Lambda's."""
    if error_type in CLIENT_ERRORS:
        return (
            "This is not Runtime.InvalidEntrypoint: the image started, and its runtime client,"
            f" which then looked for the handler, reports {error_type}."
        )
    if error_type == ENTRYPOINT:
        return "It is not the handler's name: that is read only after the entrypoint has started."
    return ""


def start_evidence(version: VersionFacts) -> tuple[Evidence, ...]:
    """Return the command or the handler that the version starts."""
    if version.image and version.image.starts:
        return (seen(check_source(version.image), f"starts {' '.join(version.image.starts)}"),)
    if version.function and version.function.handler:
        return (seen(f"GetFunction {version.label}", f"handler {version.function.handler}"),)
    return ()


def way_back(version: VersionFacts) -> tuple[Remedy, ...]:
    """Return the roll-back, where players are affected."""
    return (roll_back(version.stage),) if version.is_live else ()


def check_source(image: ImageFacts) -> str:
    """Return the name of `check` as a source of evidence."""
    return f"check of {image.digest[:19]}…"
