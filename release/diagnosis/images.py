"""The images of a stage, checked as `release check` does: the live one and the refused one."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from imagecheck.check import check_image
from imagecheck.function import Function
from imagecheck.image.filesystem import FileSystem
from imagecheck.image.image_reader import Progress
from imagecheck.image.layer import FileKind
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import InvalidReferenceError, RegistryReference, parse_reference
from imagecheck.start.native.platform import described, is_native
from imagecheck.terminal import step
from release.diagnosis.facts import DeploymentFacts, FunctionFacts, StackFacts, StageFacts
from release.diagnosis.image_facts import ImageFacts, NativeModule
from release.diagnosis.source_reader import SourceReader

_ENDINGS: Final = (".so", ".pyd", ".dylib")
_INTERPRETER: Final = re.compile(r"/lib-dynload/|^/(?:usr/)?lib(?:64)?/[^/]*$")

Check = Callable[[RegistryReference, Function], ImageFacts]
"""Checks an image. Raises ImageReadError."""


def check_with(cache: LayerCache, progress: Progress) -> Check:
    """Return the check that `release check` makes."""

    def check(reference: RegistryReference, function: Function) -> ImageFacts:
        report = check_image(reference, function, cache=cache, progress=progress)
        name = str(reference).removeprefix("docker://")
        subject = report.subject
        native = tuple(_native_modules(subject.files)) if subject.files else None
        return ImageFacts(name, report.findings, subject.start.argv, native=native)

    return check


def _native_modules(files: FileSystem) -> Iterator[NativeModule]:
    """Yield the native modules of Python's that packages brought, and not the interpreter."""
    for node in files.below("/"):
        is_module = node.kind is FileKind.FILE and node.path.endswith(_ENDINGS)
        if is_module and is_native(node) and not _INTERPRETER.search(node.path):
            yield NativeModule(node.path, described(node, node.path))


def function_of(facts: FunctionFacts) -> Function:
    """Return the function as `check` wants it."""
    override = facts.override
    return Function(
        "arm64" if facts.architecture == "arm64" else "x86_64",
        entrypoint=override.entrypoint if override else None,
        command=override.command if override else None,
        workdir=override.workdir if override else None,
        environment=facts.variables,
    )


def with_images(facts: StageFacts, check: Check, reader: SourceReader) -> StageFacts:
    """Add what `check` finds in the live image, and in the refused one where it is another."""
    live = facts.live if isinstance(facts.live, FunctionFacts) else None
    if live and live.package == "Image":
        facts = replace(facts, live_image=_check(live.image, live, check, reader))
    other = _refused_image(facts, reader)
    if other:
        image, function = other
        facts = replace(facts, refused_image=_check(image, function, check, reader))
    return facts


def _refused_image(facts: StageFacts, reader: SourceReader) -> tuple[str, FunctionFacts] | None:
    """Return the image that was refused, and the function that it was for.

    CloudFormation takes the version back that it made, but its events say which image that had.
    What the lock file pins may be another one by now: the one before, or the next.
    """
    live = facts.live if isinstance(facts.live, FunctionFacts) else None
    stack = facts.stack if isinstance(facts.stack, StackFacts) else None
    if isinstance(facts.refused, FunctionFacts):
        image, function = facts.refused.image, facts.refused
    elif live is None or live.package != "Image" or stack is None or stack.is_settled:
        return None
    else:
        image, function = stack.image, live
        is_refused = isinstance(facts.deployment, DeploymentFacts) and (facts.deployment.is_refused)
        if (is_refused or facts.failed_before_shift) and not image:
            reader.note(
                "image of the refused version",
                "neither Lambda nor the events of the stack name it",
            )
    if not image or (live and image.partition("@")[2] == live.digest):
        return None
    return image, function


def _check(
    image: str, function: FunctionFacts, check: Check, reader: SourceReader
) -> ImageFacts | None:
    source = f"image {image.partition('@')[2][:19]}…"
    with step(f"reading the {source}"):
        try:
            reference = parse_reference(f"docker://{image}")
        except InvalidReferenceError:
            reader.note(source, "GetFunction returns no valid image reference")
            return None
        assert isinstance(reference, RegistryReference)  # noqa: S101  (docker:// is one)
        return reader.read(source, lambda: _check_twice(reference, function, check))


def _check_twice(reference: RegistryReference, facts: FunctionFacts, check: Check) -> ImageFacts:
    """Check the image as it is configured, and mark what only the override causes."""
    function = function_of(facts)
    configured = check(reference, function)
    if facts.override is None:
        return configured
    alone = check(reference, replace(function, entrypoint=None, command=None, workdir=None))
    return replace(
        configured,
        findings=tuple(one for one in configured.findings if one in alone.findings),
        by_override=tuple(one for one in configured.findings if one not in alone.findings),
    )
