"""Rules for a version that does not start: override, image, entrypoint, extensions, exits.

``Runtime.InvalidEntrypoint`` is set where no command can be worked out and where starting it fails:
both come before anything reads the handler's name, whose errors have other types.
https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-images.html
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from imagecheck.rules import BY_ID
from release.diagnosis.cause import FailureCause, Remedy, seen
from release.diagnosis.facts import Override
from release.diagnosis.remedies import aws_command, release_command
from release.diagnosis.rules.read_only import is_read_only
from release.diagnosis.rules.start_failures import (
    CLIENT_ERRORS,
    ENTRYPOINT,
    PERMISSION_DENIED,
    WORKDIR,
    check_source,
    explains,
    explanation_of,
    findings_of_override,
    is_explained,
    may_come_of_override,
    start_evidence,
    way_back,
)
from release.diagnosis.version_facts import VersionFacts, evidence_of

_EXIT: Final = "Runtime.ExitError"
_REGISTRY: Final = ("A1", "A3", "A4")

_SPAWN: Final = (
    ("exec format error", "its programs are for another CPU, or a script has no shebang"),
    (
        "no such file",
        "it, its interpreter or its loader is missing, or a script has CRLF line endings",
    ),
    ("permission denied", "others may not execute it, or may not enter a folder above it"),
    ("valid bootstrap", "there is no ENTRYPOINT, so that the handler's name itself is started"),
)
"""Parts of the message of a failed start, and the cause that each points to."""

_EXIT_STATUS: Final = {
    "142": "AWS's entrypoint takes exactly one argument, the handler: CMD has none, or too many",
    "127": "a program or a shared library that the entrypoint needs is not in the image",
    "226": "npm writes below HOME, and the image is read-only",
}


def function_overrides_the_start(version: VersionFacts) -> Iterator[FailureCause]:
    """C5. It is sticky: neither a new image nor taking it out of the template removes it."""
    function = version.function
    if function is None or function.override is None or version.works_now:
        return
    override = function.override
    symptoms = version.with_(partial(may_come_of_override, version))
    if not symptoms and any(symptom.is_now for symptom in version.symptoms):
        return
    found = [finding.found for finding in findings_of_override(version)]
    wrong = _wrong_with(override) or next(iter(found), "")
    name = version.facts.function_name
    yield FailureCause(
        name="image-config-override",
        title="The function's ImageConfig overrides the image's own start",
        likelihood=version.likelihood(symptoms) if wrong else "likely" if symptoms else "possible",
        error_type=ENTRYPOINT,
        rule="C5",
        evidence=(
            seen(
                f"GetFunction {version.label}",
                f"ImageConfigResponse: {override}" + (f": {wrong}" if wrong else ""),
            ),
            *evidence_of(symptoms, 2),
        ),
        fix=(
            Remedy(
                "remove it from the function",
                aws_command(
                    "lambda",
                    "update-function-configuration",
                    version.stage,
                    function_name=name,
                    image_config="{}",
                ),
            ),
            Remedy(
                "publish a new version: existing ones keep what they were published with",
                aws_command("lambda", "wait function-updated-v2", version.stage, function_name=name)
                + " && "
                + aws_command("lambda", "publish-version", version.stage, function_name=name),
            ),
            Remedy(
                "point live to the version number that the command before prints",
                aws_command(
                    "lambda", "update-alias", version.stage, function_name=name, name="live"
                )
                + " --function-version N",
            ),
        ),
        explanation="The stack never sets ImageConfig, so it was set by hand. It stays through"
        " every new image. The console shows an empty string like no override at all ('-')."
        " The image itself starts on any other machine.",
    )


def image_cannot_start(version: VersionFacts) -> Iterator[FailureCause]:
    """What `check` finds in the image, most of the rules of the catalogue."""
    if version.works_now or version.image is None:
        return
    findings = [f for f in version.image.errors if f.rule not in _REGISTRY and f.rule != "C5"]
    for finding in findings:
        symptoms = version.with_(partial(explains, finding))
        # What fails differently now has another cause; this one waits behind it.
        is_other = not symptoms and any(symptom.is_now for symptom in version.symptoms)
        likelihood = version.likelihood(symptoms)
        yield FailureCause(
            name=f"image-{finding.rule.lower()}",
            title=BY_ID[finding.rule].title,
            likelihood="possible" if is_other else max(likelihood, "likely", key=_certainty),
            error_type=finding.error_type,
            rule=finding.rule,
            evidence=(
                seen(check_source(version.image), finding.found),
                *evidence_of(symptoms, 3),
            ),
            fix=(*way_back(version), Remedy(finding.fix)),
            explanation=explanation_of(finding.error_type),
        )


def entrypoint_cannot_be_started(version: VersionFacts) -> Iterator[FailureCause]:
    """InvalidEntrypoint, where `check` and the override do not explain it."""
    symptoms = version.of_type(ENTRYPOINT)
    if not symptoms or is_explained(version, symptoms):
        return
    hint = next((hint for text, hint in _SPAWN if any(s.has(text) for s in symptoms)), "")
    function = version.function
    command = f"python -m release check {_reference(version)} --architecture " + (
        function.architecture if function else version.stage.settings.architecture
    )
    if version.image is None:
        title = "Lambda cannot start the image's entrypoint"
        explanation = (
            "The image could not be read, and the cause is in it"
            + (f"; by the message, {hint}" if hint else "")
            + ". It is not the handler's name: that is read later, and is reported differently."
        )
        fix = (
            *way_back(version),
            Remedy("check the image with credentials that may read it", command),
        )
    else:
        title = "Lambda cannot start the entrypoint, and no problem was found in the image"
        explanation = (
            "`check` found nothing that stops this image on this function's CPU, and nothing"
            " overrides it. What is left: Lambda runs another copy of the image than the registry"
            " hands out (deploy it again under a new digest); the file system refuses what its"
            " modes allow; or Lambda itself"
            + (f". By the message, {hint}" if hint else "")
            + ". It is not the handler's name: that is read later, and is reported differently."
        )
        fix = (
            *way_back(version),
            Remedy(
                "start the image here, as Lambda does",
                release_command("boot", version.stage),
            ),
            Remedy(
                "compare it with one that worked", f"{command} --against docker://IMAGE-THAT-WORKED"
            ),
        )
    yield FailureCause(
        name="invalid-entrypoint",
        title=title,
        likelihood=version.likelihood(symptoms),
        error_type=ENTRYPOINT,
        evidence=(*evidence_of(symptoms), *start_evidence(version)),
        fix=fix,
        explanation=explanation,
    )


def working_directory_is_wrong(version: VersionFacts) -> Iterator[FailureCause]:
    """InvalidWorkingDir, where `check` does not explain it."""
    symptoms = version.of_type(WORKDIR)
    if not symptoms or is_explained(version, symptoms):
        return
    yield FailureCause(
        name="invalid-working-dir",
        title=BY_ID["C15"].title,
        likelihood=version.likelihood(symptoms),
        error_type=WORKDIR,
        rule="C15",
        evidence=(*evidence_of(symptoms), *start_evidence(version)),
        fix=(
            *way_back(version),
            Remedy("set WORKDIR in lambda_src/Dockerfile to an absolute path that exists"),
        ),
    )


def extension_fails(version: VersionFacts) -> Iterator[FailureCause]:
    """F1 to F3, where `check` does not explain it."""
    symptoms = version.with_(lambda symptom: symptom.type.startswith("Extension."))
    if not symptoms or is_explained(version, symptoms):
        return
    yield FailureCause(
        name="extension",
        title="An extension fails, and the function with it",
        likelihood=version.likelihood(symptoms),
        error_type=symptoms[0].type,
        evidence=evidence_of(symptoms),
        fix=(
            *way_back(version),
            Remedy("remove it from /opt/extensions in lambda_src/Dockerfile"),
        ),
    )


def process_ends(version: VersionFacts) -> Iterator[FailureCause]:
    """ExitError with an exit status, where `check` does not explain it."""
    symptoms = version.with_(
        lambda symptom: symptom.type == _EXIT and not symptom.has("signal: killed")
    )
    if not symptoms or is_explained(version, symptoms):
        return
    # The exit of a runtime client that has said what is wrong adds nothing.
    if version.with_(
        lambda symptom: (
            symptom.type in CLIENT_ERRORS
            or symptom.has(*PERMISSION_DENIED)
            or is_read_only(symptom)
        )
    ):
        return
    status = next((m[1] for s in symptoms if (m := re.search(r"exit status (\d+)", s.message))), "")
    known = _EXIT_STATUS.get(status, "")
    other = version.with_(lambda symptom: "." not in symptom.type and bool(symptom.type))
    if other and not known:
        return
    yield FailureCause(
        name="process-exits",
        title="The image starts, and its process exits"
        + (f" with status {status}" if status else ""),
        likelihood=version.likelihood(symptoms),
        error_type=_EXIT,
        rule={"142": "D1", "127": "D2", "226": "D3"}.get(status, ""),
        evidence=(*evidence_of(symptoms), *start_evidence(version)),
        fix=(
            *way_back(version),
            Remedy(known)
            if known
            else Remedy(
                "read what it prints before it exits", release_command("boot", version.stage)
            ),
        ),
        explanation="This is not Runtime.InvalidEntrypoint: the entrypoint was started.",
    )


def _wrong_with(override: Override) -> str:
    if override.entrypoint is not None and not any(override.entrypoint):
        return "the entrypoint is an empty string, which cannot be started"
    if override.entrypoint and not override.entrypoint[0].startswith("/"):
        return f"{override.entrypoint[0]!r} is no path of a program"
    if override.command is not None and not any(override.command):
        return "the command is empty, so no handler is named"
    if override.command and override.entrypoint is None:
        return (
            "Command alone; CloudFormation is documented to put nothing in the place of what"
            " the image says for the other two"
        )
    return ""


def _reference(version: VersionFacts) -> str:
    return (
        f"docker://{version.function.image}"
        if version.function and version.function.image
        else "IMAGE"
    )


def _certainty(likelihood: str) -> int:
    return {"certain": 2, "likely": 1, "possible": 0}[likelihood]
