"""Rules for a handler that cannot be loaded, which the runtime client reports."""

import re
from collections.abc import Iterator
from typing import Final

from imagecheck.rules import BY_ID
from release.diagnosis.cause import FailureCause, Remedy
from release.diagnosis.remedies import release_command
from release.diagnosis.rules.native import is_native_fault
from release.diagnosis.rules.read_only import is_read_only
from release.diagnosis.rules.start_failures import (
    CLIENT_ERRORS,
    ENTRYPOINT,
    PERMISSION_DENIED,
    explanation_of,
    is_explained,
    start_evidence,
    way_back,
)
from release.diagnosis.version_facts import Symptom, VersionFacts, evidence_of

IMPORT_ERRORS: Final = {"ImportError": "E2", "ModuleNotFoundError": "E2"}
"""Python's own types, of what is imported later than the handler; and their rule."""
_HANDLER_NAMES: Final = {"E2": "module-missing", "E3": "handler-missing"}


def handler_cannot_be_loaded(version: VersionFacts) -> Iterator[FailureCause]:
    """E1 to E7: what the runtime client reports, where `check` does not explain it."""
    for type_, rule in (CLIENT_ERRORS | IMPORT_ERRORS).items():
        symptoms = tuple(
            one
            for one in version.of_type(type_)
            if not (is_read_only(one) or is_native_fault(version, one))
        )
        if not symptoms or is_explained(version, symptoms):
            continue
        title, fix = _handler_fix(version, rule, symptoms)
        yield FailureCause(
            name=_HANDLER_NAMES.get(rule, f"image-{rule.lower()}"),
            title=title,
            likelihood=version.likelihood(symptoms),
            error_type=type_,
            rule=rule,
            evidence=(*evidence_of(symptoms), *start_evidence(version)),
            fix=(*way_back(version), Remedy(fix)),
            explanation=explanation_of(type_),
        )


def code_may_not_be_read(version: VersionFacts) -> Iterator[FailureCause]:
    """E6, where `check` does not explain it: Lambda's user is not the files' owner."""
    symptoms = version.with_(
        lambda symptom: (
            symptom.has(*PERMISSION_DENIED)
            and symptom.type not in (ENTRYPOINT, *CLIENT_ERRORS)
            and not is_read_only(symptom)
        )
    )
    if not symptoms or is_explained(version, symptoms):
        return
    yield FailureCause(
        name="image-e6",
        title=BY_ID["E6"].title,
        likelihood=version.likelihood(symptoms),
        error_type="PermissionError",
        rule="E6",
        evidence=evidence_of(symptoms),
        fix=(
            *way_back(version),
            Remedy(
                "build it again: `release build` makes files readable by others",
                release_command("build", version.stage),
            ),
        ),
        explanation="Lambda runs the code as a user who owns nothing in the image; as root, as"
        " under plain `docker run`, the same image works.",
    )


def _handler_fix(
    version: VersionFacts, rule: str, symptoms: tuple[Symptom, ...]
) -> tuple[str, str]:
    """Return a title and the fix."""
    names = (
        'handler="rooms.main.handler" in stacks/rooms_stack.py'
        if version.is_zip
        else 'CMD ["rooms.main.handler"] in lambda_src/Dockerfile'
    )
    if rule == "E2":
        return _module_fix(names, " ".join(symptom.message for symptom in symptoms))
    if rule == "E3":
        return (
            "The handler's path is wrong: the module has no such function",
            f"{names} names module and function: check that both exist",
        )
    return BY_ID[rule].title, f"{names} names module and function: check that both exist"


def _module_fix(names: str, said: str) -> tuple[str, str]:
    if "cannot open shared object" in said:
        return BY_ID["E7"].title, "install the libraries for the function's CPU: build again"
    if "Permission denied" in said:
        return BY_ID["E6"].title, "build with `python -m release build`"
    missing = re.search(r"No module named '([^']+)'", said)
    imported = re.search(r"Unable to import module '([^']+)'", said)
    if missing:
        return _missing_fix(names, missing[1], imported[1] if imported else "")
    return BY_ID["E2"].title, f"check what {names} names, and what it imports"


def _missing_fix(names: str, missing: str, imported: str) -> tuple[str, str]:
    """Tell the handler's own module from others, and a part of a package from a package."""
    top = missing.partition(".")[0]
    if f"{imported}.".startswith(f"{missing}."):
        return (
            f"The handler's path is wrong: there is no module {imported!r}",
            f"{names} names it: check that it is in what is deployed",
        )
    if imported.partition(".")[0] == top:
        return (
            f"The module {missing!r} is missing in what was deployed",
            "it is the function's own: check that lambda_src has it, and where it is copied to",
        )
    if "." in missing:
        return (
            f"The package {top!r} was deployed without its module {missing!r}",
            f"install a version of {top} that has it, and no other file of that name beside it:"
            f" {top} itself was found",
        )
    return (
        f"The module {missing!r} is missing in what was deployed",
        f"add the package of {missing} to lambda_src/requirements.in, lock it, build again",
    )
