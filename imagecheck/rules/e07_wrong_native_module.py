"""A package has native modules, and none for the function's CPU, libc and system."""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from imagecheck.rule import IMPORT_MODULE_ERROR, START, Problem, Rule
from imagecheck.start.native.loaded import loaded_for_certain
from imagecheck.start.native.package import NativePackage, packages_of
from imagecheck.start.native.platform import (
    NativePlatform,
    described,
    fits,
    has_another_abi,
    platform_of,
)

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_WHEELS: Final = {"arm64": "aarch64", "x86_64": "x86_64"}
_NPM: Final = {"arm64": "arm64", "x86_64": "x64"}
_ERROR_OF_NODE: Final = "Error"
"""What Node's runtime client reports for a module that the loader refuses."""
_SHOWN = 3


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at each package as a whole; an error is only what the handler loads for certain."""
    if not subject.files or subject.is_wholly_of_another_cpu:
        return
    yield from subject.judgement.of("E7")
    platform = platform_of(subject)
    wrong = [
        package
        for package in packages_of(subject)
        if not package.has_other and not _has_one_for(package, platform)
    ]
    if not wrong:
        return
    certain = loaded_for_certain(subject, wrong)
    for package in wrong:
        if package in certain:
            yield Problem(
                f"{_place(package)} has no native module for {platform}, but"
                f" {_modules(package)}; {certain[package]} is loaded with the handler",
                _fix(subject, package),
                error_type=_ERROR_OF_NODE if package.language == "node" else None,
            )
    rest = [one for one in wrong if one not in certain and not _is_meant_elsewhere(subject, one)]
    # What is only for another version of Node matters where it is loaded.
    rest = [one for one in rest if not _fits_but_for_abi(one, platform)]
    if rest:
        named = "; ".join(f"{_place(one)}: {_modules(one)}" for one in rest[:_SHOWN])
        more = f"; and {len(rest) - _SHOWN} more" if len(rest) > _SHOWN else ""
        yield Problem(
            f"{len(rest)} package(s) have no native module for {platform}, and fail where the"
            f" function needs one: {named}{more}",
            _fix(subject, rest[0]),
            severity="warning",
        )


def _has_one_for(package: NativePackage, platform: NativePlatform) -> bool:
    return any(
        fits(module, relative, platform) and not has_another_abi(relative, platform)
        for module in package.modules
        for relative in (package.relative(module),)
    )


def _fits_but_for_abi(package: NativePackage, platform: NativePlatform) -> bool:
    return any(fits(module, package.relative(module), platform) for module in package.modules)


def _is_meant_elsewhere(subject: "Subject", package: NativePackage) -> bool:
    """Whether its package.json says that it is not for Linux, as that of fsevents does."""
    assert subject.files  # noqa: S101  (asked by the caller)
    if package.language != "node" or package.is_family:
        return False
    manifest = subject.files.find(posixpath.join(package.folders[0], "package.json"))
    if manifest is None:
        return False
    try:
        document = msgspec.json.decode(subject.contents([manifest])[manifest.path])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    systems = document.get("os") if isinstance(document, dict) else None
    return isinstance(systems, list) and bool(systems) and "linux" not in systems


def _place(package: NativePackage) -> str:
    if len(package.folders) == 1:
        return package.folders[0]
    return f"{package.name} (a package for each platform)"


def _modules(package: NativePackage) -> str:
    """Name some of what it has, and for what that is."""
    kinds: dict[str, str] = {}
    for module in package.modules:
        relative = package.relative(module)
        kinds.setdefault(described(module, relative), relative.lstrip("/"))
    shown = [f"{path} ({kind})" for kind, path in list(kinds.items())[:_SHOWN]]
    return ", ".join(shown)


def _fix(subject: "Subject", package: NativePackage) -> str:
    architecture = subject.function.architecture
    if package.language == "node":
        return (
            "run npm ci in the image's build, not on another machine: docker buildx build"
            f" --platform linux/{subject.function.image_architecture}; or npm ci --os=linux"
            f" --cpu={_NPM[architecture]}"
        )
    return (
        "install packages for the function: docker buildx build --platform"
        f" linux/{subject.function.image_architecture}, or pip install --only-binary=:all:"
        f" --platform manylinux2014_{_WHEELS[architecture]}"
    )


RULE = Rule(
    id="E7",
    title="Native modules of another CPU, libc or system",
    severity="error",
    error_type=IMPORT_MODULE_ERROR,
    when=START,
    why=(
        "Some packages have a part in machine code, which runs on one CPU, libc and system"
        " only. If they are installed on a laptop and copied into the image, that part is for"
        " the laptop. A package may bring one for each platform: then one that fits is enough."
    ),
    fix="Install the packages while the image is built, for the function's platform.",
    source="https://github.com/pydantic/pydantic/issues/6557",
    bad="""\
# node_modules was made by npm on a Mac
COPY node_modules/ ${LAMBDA_TASK_ROOT}/node_modules/
""",
    good="""\
COPY package.json package-lock.json ${LAMBDA_TASK_ROOT}/
RUN npm ci --omit=dev
""",
    check=check,
)
