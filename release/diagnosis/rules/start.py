"""Why a version does not start: its entrypoint, then its runtime client, then its handler.

``Runtime.InvalidEntrypoint`` is set where no command can be worked out and where starting it fails:
both come before anything reads the handler's name. What is wrong with the handler has other names.
https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-images.html
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from imagecheck.finding import Finding
from imagecheck.rules import BY_ID
from release.diagnosis.case import Case, Symptom, evidence_of
from release.diagnosis.cause import (
    Cause,
    Evidence,
    Remedy,
    aws_command,
    release_command,
    roll_back,
    seen,
)
from release.diagnosis.facts import ImageFacts, Override

ENTRYPOINT: Final = "Runtime.InvalidEntrypoint"
_WORKDIR: Final = "Runtime.InvalidWorkingDir"
_EXIT: Final = "Runtime.ExitError"
_CLIENT: Final = {
    "Runtime.HandlerNotFound": "E3",
    "Runtime.ImportModuleError": "E2",
    "Runtime.MalformedHandlerName": "E1",
    "Runtime.UserCodeSyntaxError": "E4",
    "Runtime.BuiltInModuleConflict": "E5",
}
"""What the runtime client reports of the handler, and the rule that `check` has for it."""
_HANDLER_NAMES: Final = {"E2": "module-missing", "E3": "handler-missing"}
_REGISTRY: Final = ("A1", "A3", "A4")
_UNREADABLE: Final = ("Permission denied", "PermissionError")

_SPAWN: Final = (
    ("exec format error", "its programs are for another CPU, or a script has no shebang"),
    (
        "no such file",
        "it, its interpreter or its loader is missing, or a script has CRLF line ends",
    ),
    ("permission denied", "it may not be run, or a folder above it not be entered, by others"),
    ("valid bootstrap", "there is no ENTRYPOINT, so that the handler's name itself is started"),
)
"""What the message of a failed start says, and what that leaves as its cause."""

_EXIT_STATUS: Final = {
    "142": "AWS's entrypoint wants exactly one argument, the handler: CMD has none, or too many",
    "127": "a program or a shared library that the entrypoint needs is not in the image",
    "226": "npm wants to write below HOME, and the image is read-only",
}


def function_overrides_the_start(case: Case) -> Iterator[Cause]:
    """C5. It is sticky: neither a new image nor taking it out of the template removes it."""
    function = case.function
    if function is None or function.override is None or case.works_now:
        return
    override = function.override
    symptoms = case.with_(partial(_may_come_of_override, case))
    if not symptoms and any(symptom.is_now for symptom in case.symptoms):
        return
    found = [finding.found for finding in _by_override(case)]
    wrong = _wrong_with(override) or next(iter(found), "")
    name = case.facts.function_name
    yield Cause(
        name="image-config-override",
        title="The function's ImageConfig overrides what the image says it starts",
        likelihood=case.likelihood(symptoms) if wrong else "likely" if symptoms else "possible",
        error_type=ENTRYPOINT,
        rule="C5",
        evidence=(
            seen(
                f"GetFunction {_which(case)}",
                f"ImageConfigResponse: {override}" + (f": {wrong}" if wrong else ""),
            ),
            *evidence_of(symptoms, 2),
        ),
        fix=(
            Remedy(
                "take it off the function",
                aws_command(
                    "lambda",
                    "update-function-configuration",
                    case.stage,
                    function_name=name,
                    image_config="{}",
                ),
            ),
            Remedy(
                "versions keep what they were published with, so publish another one",
                aws_command("lambda", "wait function-updated-v2", case.stage, function_name=name)
                + " && "
                + aws_command("lambda", "publish-version", case.stage, function_name=name),
            ),
            Remedy(
                "let live point to the version that this answers",
                aws_command("lambda", "update-alias", case.stage, function_name=name, name="live")
                + " --function-version N",
            ),
        ),
        explanation="The stack never sets ImageConfig, so somebody did by hand. It stays through"
        " every new image; the console shows an empty string like no override at all ('-'); and"
        " the image itself starts on any other machine.",
    )


def image_cannot_start(case: Case) -> Iterator[Cause]:
    """What `check` finds in the image, most of the rules of the catalogue."""
    if case.works_now or case.image is None:
        return
    findings = [f for f in case.image.errors if f.rule not in _REGISTRY and f.rule != "C5"]
    for finding in findings:
        symptoms = case.with_(partial(_explains, finding))
        # What fails differently now has another cause; this one waits behind it.
        is_other = not symptoms and any(symptom.is_now for symptom in case.symptoms)
        likelihood = case.likelihood(symptoms)
        yield Cause(
            name=f"image-{finding.rule.lower()}",
            title=BY_ID[finding.rule].title,
            likelihood="possible" if is_other else max(likelihood, "likely", key=_certainty),
            error_type=finding.error_type,
            rule=finding.rule,
            evidence=(
                seen(_check(case.image), finding.found),
                *evidence_of(symptoms, 3),
            ),
            fix=(*_way_back(case), Remedy(finding.fix)),
            explanation=_explanation(finding.error_type),
        )


def entrypoint_cannot_be_started(case: Case) -> Iterator[Cause]:
    """InvalidEntrypoint, where `check` and the override do not explain it."""
    symptoms = case.of_type(ENTRYPOINT)
    if not symptoms or _is_explained(case, symptoms):
        return
    hint = next((hint for text, hint in _SPAWN if any(s.has(text) for s in symptoms)), "")
    function = case.function
    command = f"python -m release check {_reference(case)} --architecture " + (
        function.architecture if function else case.stage.settings.architecture
    )
    if case.image is None:
        title = "Lambda cannot start the image's entrypoint"
        explanation = (
            "The image itself could not be looked at, and it has the cause"
            + (f"; by the message, {hint}" if hint else "")
            + ". It is not the handler's name: that is read later, and is reported differently."
        )
        fix = (*_way_back(case), Remedy("read the image from where you may", command))
    else:
        title = "Lambda cannot start the entrypoint, and nothing of the image says why"
        explanation = (
            "`check` found nothing that stops this image on this function's CPU, and nothing"
            " overrides it. What is left: Lambda runs another copy of the image than the registry"
            " hands out (deploy it again under a new digest); the file system refuses what its"
            " modes allow; or Lambda itself"
            + (f". By the message, {hint}" if hint else "")
            + ". It is not the handler's name: that is read later, and is reported differently."
        )
        fix = (
            *_way_back(case),
            Remedy(
                "start the image here, as Lambda does",
                release_command("boot", case.stage),
            ),
            Remedy(
                "hold it against one that worked", f"{command} --against docker://IMAGE-THAT-WORKED"
            ),
        )
    yield Cause(
        name="invalid-entrypoint",
        title=title,
        likelihood=case.likelihood(symptoms),
        error_type=ENTRYPOINT,
        evidence=(*evidence_of(symptoms), *_starts(case)),
        fix=fix,
        explanation=explanation,
    )


def working_directory_is_wrong(case: Case) -> Iterator[Cause]:
    """InvalidWorkingDir, where `check` does not explain it."""
    symptoms = case.of_type(_WORKDIR)
    if not symptoms or _is_explained(case, symptoms):
        return
    yield Cause(
        name="invalid-working-dir",
        title=BY_ID["C15"].title,
        likelihood=case.likelihood(symptoms),
        error_type=_WORKDIR,
        rule="C15",
        evidence=(*evidence_of(symptoms), *_starts(case)),
        fix=(
            *_way_back(case),
            Remedy("WORKDIR in lambda_src/Dockerfile: an absolute path that is there"),
        ),
    )


def handler_cannot_be_loaded(case: Case) -> Iterator[Cause]:
    """E1 to E7: what the runtime client reports, where `check` does not explain it."""
    for type_, rule in _CLIENT.items():
        symptoms = case.of_type(type_)
        if not symptoms or _is_explained(case, symptoms):
            continue
        title, fix = _handler_fix(case, rule, symptoms)
        yield Cause(
            name=_HANDLER_NAMES.get(rule, f"image-{rule.lower()}"),
            title=title,
            likelihood=case.likelihood(symptoms),
            error_type=type_,
            rule=rule,
            evidence=(*evidence_of(symptoms), *_starts(case)),
            fix=(*_way_back(case), Remedy(fix)),
            explanation=_explanation(type_),
        )


def code_may_not_be_read(case: Case) -> Iterator[Cause]:
    """E6, where `check` does not explain it: Lambda's user is not the files' owner."""
    symptoms = case.with_(
        lambda symptom: symptom.has(*_UNREADABLE) and symptom.type not in (ENTRYPOINT, *_CLIENT)
    )
    if not symptoms or _is_explained(case, symptoms):
        return
    yield Cause(
        name="image-e6",
        title=BY_ID["E6"].title,
        likelihood=case.likelihood(symptoms),
        error_type="PermissionError",
        rule="E6",
        evidence=evidence_of(symptoms),
        fix=(
            *_way_back(case),
            Remedy(
                "build as `release build` does, which makes files readable by others",
                release_command("build", case.stage),
            ),
        ),
        explanation="Lambda runs the code as a user who owns nothing in the image; as root, as"
        " under plain `docker run`, the same image works.",
    )


def extension_fails(case: Case) -> Iterator[Cause]:
    """F1 to F3, where `check` does not explain it."""
    symptoms = case.with_(lambda symptom: symptom.type.startswith("Extension."))
    if not symptoms or _is_explained(case, symptoms):
        return
    yield Cause(
        name="extension",
        title="An extension fails, and the function with it",
        likelihood=case.likelihood(symptoms),
        error_type=symptoms[0].type,
        evidence=evidence_of(symptoms),
        fix=(
            *_way_back(case),
            Remedy("take it out of /opt/extensions in lambda_src/Dockerfile"),
        ),
    )


def process_ends(case: Case) -> Iterator[Cause]:
    """ExitError with an exit status, where `check` does not explain it."""
    symptoms = case.with_(
        lambda symptom: symptom.type == _EXIT and not symptom.has("signal: killed")
    )
    if not symptoms or _is_explained(case, symptoms):
        return
    # The exit of a runtime client that has said what is wrong adds nothing.
    if case.with_(lambda symptom: symptom.type in _CLIENT or symptom.has(*_UNREADABLE)):
        return
    status = next((m[1] for s in symptoms if (m := re.search(r"exit status (\d+)", s.message))), "")
    known = _EXIT_STATUS.get(status, "")
    other = case.with_(lambda symptom: "." not in symptom.type and bool(symptom.type))
    if other and not known:
        return
    yield Cause(
        name="process-exits",
        title="The image starts, and its process ends by itself"
        + (f" with status {status}" if status else ""),
        likelihood=case.likelihood(symptoms),
        error_type=_EXIT,
        rule={"142": "D1", "127": "D2", "226": "D3"}.get(status, ""),
        evidence=(*evidence_of(symptoms), *_starts(case)),
        fix=(
            *_way_back(case),
            Remedy(known)
            if known
            else Remedy("see what it says before it ends", release_command("boot", case.stage)),
        ),
        explanation="This is not Runtime.InvalidEntrypoint: the entrypoint was started.",
    )


RULES = (
    function_overrides_the_start,
    image_cannot_start,
    entrypoint_cannot_be_started,
    working_directory_is_wrong,
    handler_cannot_be_loaded,
    code_may_not_be_read,
    extension_fails,
    process_ends,
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


def _explains(finding: Finding, symptom: Symptom) -> bool:
    if finding.rule == "E6":
        return symptom.has(*_UNREADABLE) and symptom.type != ENTRYPOINT
    if finding.error_type == symptom.type:
        return not symptom.has("signal: killed")
    return finding.rule == "C5" and symptom.type == ENTRYPOINT


def _is_explained(case: Case, symptoms: tuple[Symptom, ...]) -> bool:
    """Whether a finding or the override accounts for them."""
    if case.works_now:
        return False
    findings = case.image.errors if case.image else ()
    return any(_explains(finding, symptom) for finding in findings for symptom in symptoms) or any(
        _may_come_of_override(case, symptom) for symptom in symptoms
    )


def _may_come_of_override(case: Case, symptom: Symptom) -> bool:
    override = case.function.override if case.function else None
    if override is None:
        return False
    if symptom.type in (ENTRYPOINT, _WORKDIR):
        return True
    if symptom.type in _CLIENT and (override.command or override.workdir):
        return True
    return any(_explains(finding, symptom) for finding in _by_override(case))


def _by_override(case: Case) -> tuple[Finding, ...]:
    found = case.image.by_override if case.image else ()
    return tuple(finding for finding in found if finding.severity == "error")


def _handler_fix(case: Case, rule: str, symptoms: tuple[Symptom, ...]) -> tuple[str, str]:
    """Return a title, and how to mend it."""
    names = (
        'handler="rooms.main.handler" in stacks/rooms_stack.py'
        if case.is_zip
        else 'CMD ["rooms.main.handler"] in lambda_src/Dockerfile'
    )
    if rule == "E2":
        return _module_fix(names, " ".join(symptom.message for symptom in symptoms))
    if rule == "E3":
        return (
            "The handler's path is wrong: the module has no such function",
            f"{names} names module and function: see that both are there",
        )
    return BY_ID[rule].title, f"{names} names module and function: see that both are there"


def _module_fix(names: str, said: str) -> tuple[str, str]:
    missing = re.search(r"No module named '([^']+)'", said)
    imported = re.search(r"Unable to import module '([^']+)'", said)
    if re.search(r"cannot open shared object|invalid ELF header|wrong ELF class|GLIBC", said):
        return BY_ID["E7"].title, "install the libraries for the function's CPU: build again"
    if "Permission denied" in said:
        return BY_ID["E6"].title, "build with `python -m release build`"
    if missing and imported and f"{imported[1]}.".startswith(f"{missing[1]}."):
        return (
            f"The handler's path is wrong: there is no module {imported[1]!r}",
            f"{names} names it: see that it is in what is deployed",
        )
    if missing:
        return (
            f"The module {missing[1]!r} is missing in what was deployed",
            f"name what has {missing[1]} in lambda_src/requirements.in, lock it, build again",
        )
    return BY_ID["E2"].title, f"see what {names} names, and what it imports"


def _explanation(error_type: str) -> str:
    if error_type in _CLIENT:
        return (
            "This is not Runtime.InvalidEntrypoint: the image started, and its runtime client,"
            f" which then looked for the handler, reports {error_type}."
        )
    if error_type == ENTRYPOINT:
        return "It is not the handler's name: that is read only after the entrypoint has started."
    return ""


def _starts(case: Case) -> tuple[Evidence, ...]:
    if case.image and case.image.starts:
        return (seen(_check(case.image), f"starts {' '.join(case.image.starts)}"),)
    if case.function and case.function.handler:
        return (seen(f"GetFunction {_which(case)}", f"handler {case.function.handler}"),)
    return ()


def _way_back(case: Case) -> tuple[Remedy, ...]:
    """What brings players back first, where they are affected."""
    return (roll_back(case.stage),) if case.is_live else ()


def _check(image: ImageFacts) -> str:
    return f"check of {image.digest[:19]}…"


def _reference(case: Case) -> str:
    return f"docker://{case.function.image}" if case.function and case.function.image else "IMAGE"


def _which(case: Case) -> str:
    return "live" if case.is_live else "of the refused version"


def _certainty(likelihood: str) -> int:
    return {"certain": 2, "likely": 1, "possible": 0}[likelihood]
