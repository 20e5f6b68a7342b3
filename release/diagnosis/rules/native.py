"""The rule for native modules that are there, and for another CPU, libc, system or version: E7.

Python looks for a module by its file's whole name, which has the version and the CPU in it. So one
that is there for another is not found, and reported as one that is missing.
https://docs.python.org/3/library/importlib.html#importlib.machinery.EXTENSION_SUFFIXES
"""

import re
from collections.abc import Iterator
from typing import Final

from imagecheck.rules import BY_ID
from release.diagnosis.cause import Evidence, FailureCause, Remedy, seen
from release.diagnosis.image_facts import NativeModule
from release.diagnosis.remedies import release_command
from release.diagnosis.rules.start_failures import (
    check_source,
    is_explained,
    start_evidence,
    way_back,
)
from release.diagnosis.version_facts import Symptom, VersionFacts, evidence_of

_MISSING: Final = re.compile(r"No module named ['\"](?P<name>[\w.]+)['\"]")
_IMPORTED: Final = re.compile(r"Unable to import module '([\w.]+)'")
_NO_NAME: Final = re.compile(
    r"cannot import name ['\"](?P<name>\w+)['\"] from (?:partially initialized module )?"
    r"['\"](?P<package>[\w.]+)['\"]"
)
_SAID: Final = re.compile(
    r"invalid ELF header|wrong ELF class|GLIBC(?:XX)?_[\d.]+|undefined symbol: _?Py"
    r"|numpy C-extensions failed|NODE_MODULE_VERSION|ERR_DLOPEN_FAILED"
    r"|Cannot find module '[^']*(?:\.node|-(?:linux|darwin|win32)(?:musl)?-\w+(?:-\w+)?)'"
    r"|Could not load the \"[\w@/-]+\" module using the|Can't load [\w .-]+ on an? \S+ platform"
)
"""As loaders, libraries, Node's packages and Java say it."""


def native_module_is_for_another(version: VersionFacts) -> Iterator[FailureCause]:
    """E7, where `check` does not explain it: what is installed was made for something else."""
    symptoms = version.with_(lambda one: is_native_fault(version, one))
    if not symptoms or is_explained(version, symptoms):
        return
    name = next(filter(None, map(_name, symptoms)), "")
    yield FailureCause(
        name="image-e7",
        title=f"The native module {name!r} is there for another CPU, Python or system"
        if _there(version, name)
        else f"The native module {name!r} of a package that is installed cannot be found: it is for"
        " another CPU, Python or system"
        if name
        else BY_ID["E7"].title,
        likelihood=version.likelihood(symptoms),
        error_type=symptoms[0].type,
        rule="E7",
        evidence=(*evidence_of(symptoms), *_of_image(version, name), *start_evidence(version)),
        fix=(*way_back(version), *_fix(version)),
        explanation="The package itself is there, or the error would name the package: nothing is"
        " missing in lambda_src/requirements.in."
        if name
        else "",
    )


def is_native_fault(version: VersionFacts, symptom: Symptom) -> bool:
    """Whether a failure is that of a native module which was made for something else."""
    if _SAID.search(f"{symptom.message} {symptom.cause}"):
        return True
    name = _name(symptom)
    if not name:
        return False
    if _there(version, name):
        return True
    package, _, last = name.rpartition(".")
    # Python names the first part that it does not find, so all before the last were found.
    looks_native = bool(package) and last.startswith("_") and not last.startswith("__")
    top = name.partition(".")[0]
    return looks_native and top not in own_packages(version, symptom) and _may_have(version, top)


def own_packages(version: VersionFacts, symptom: Symptom) -> frozenset[str]:
    """Return the packages of the function itself: those that its handler is in."""
    imported = _IMPORTED.search(symptom.message)
    handlers = (
        imported[1] if imported else "",
        version.image.starts[-1] if version.image and version.image.starts else "",
        version.function.handler if version.function else "",
    )
    return frozenset(name.partition(".")[0] for name in handlers if name)


def _may_have(version: VersionFacts, top: str) -> bool:
    """Whether a package can have native modules: unless all were looked for, and it has none."""
    native = version.image.native if version.image else None
    return native is None or any(f"/{top}/" in one.path for one in native)


def _name(symptom: Symptom) -> str:
    """Return the name of the module that was not found; empty where none is named."""
    said = f"{symptom.message} {symptom.cause}"
    if found := _MISSING.search(said):
        return found["name"]
    found = _NO_NAME.search(said)
    return f"{found['package']}.{found['name']}" if found else ""


def _there(version: VersionFacts, name: str) -> tuple[NativeModule, ...]:
    """Return the files of the image that are this module, for whatever Python."""
    if not name or version.image is None:
        return ()
    file = re.compile(rf".*/{re.escape(name.replace('.', '/'))}(?:\.[\w-]+)*\.(?:so|pyd|dylib)")
    return tuple(one for one in version.image.native or () if file.fullmatch(one.path))


def _of_image(version: VersionFacts, name: str) -> tuple[Evidence, ...]:
    if version.image is None:
        return ()
    source = check_source(version.image)
    top = name.partition(".")[0]
    return (
        *(seen(source, f"the image has {one.path} ({one.kind})") for one in _there(version, name)),
        *(
            seen(source, finding.found)
            for finding in version.image.findings
            if finding.rule == "E7" and top and re.search(rf"\b{re.escape(top)}\b", finding.found)
        ),
    )


def _fix(version: VersionFacts) -> Iterator[Remedy]:
    stage = version.stage
    function = version.function
    cpu = function.architecture if function else stage.settings.architecture
    yield Remedy(
        f"install the packages where the image is built, for {cpu} and the Python or Node of its"
        " base: nothing that pip or npm made on another machine is to be copied"
    )
    if version.is_zip:
        yield Remedy(
            "deploy, which installs them again",
            release_command("deploy", stage, "--packaging", "zip"),
        )
    else:
        yield Remedy("build it again", release_command("build", stage))
