"""The check of an image: it is read, and every rule is applied."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from imagecheck.budget import Budget
from imagecheck.dockerfile import frontend_of, images_of
from imagecheck.finding import Finding, finding_of
from imagecheck.function import Function
from imagecheck.ignore import Ignore, Ignored, split_ignored
from imagecheck.image.errors import ImageReadError
from imagecheck.image.image import Image
from imagecheck.image.image_reader import ImageReader, Progress
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import Reference, RegistryReference
from imagecheck.image.source import ImageSource
from imagecheck.rules import RULES
from imagecheck.subject import Repository, Subject

if TYPE_CHECKING:
    from imagecheck.image.ecr import EcrSource

_MAX_OF_A_RULE = 20

Timed = Callable[[str], AbstractContextManager[None]]
"""Measures a step, whose name it is given."""


@dataclass(frozen=True)
class Report:
    """What a check found, worst first."""

    subject: Subject
    findings: tuple[Finding, ...]
    ignored: tuple[Ignored, ...] = ()
    """What was found, too, and is ignored."""

    @property
    def has_errors(self) -> bool:
        """Whether anything that is not ignored stops the image from running."""
        return any(finding.severity == "error" for finding in self.findings)


def check_image(
    reference: Reference,
    function: Function,
    *,
    cache: LayerCache,
    progress: Progress,
    base: Reference | None = None,
    dockerfile: Path | None = None,
    budget: Budget | None = None,
    ignores: Sequence[Ignore] = (),
    timed: Timed | None = None,
) -> Report:
    """Read an image and find what would stop it from running as the function.

    ``base`` is where the base image is at hand that it should have been built on; ``budget``
    is how much work and time all of it may take; ``timed`` measures each step.

    Raises ImageReadError when something cannot be read, so that nothing can be said.
    """
    budget = budget or Budget()
    with closing(open_source(reference, budget)) as source:
        return check_source(
            source,
            function,
            cache=cache,
            progress=progress,
            base=base,
            dockerfile=dockerfile,
            budget=budget,
            ignores=ignores,
            timed=timed,
        )


def check_source(
    source: ImageSource,
    function: Function,
    *,
    cache: LayerCache,
    progress: Progress,
    budget: Budget,
    base: Reference | None = None,
    dockerfile: Path | None = None,
    ignores: Sequence[Ignore] = (),
    timed: Timed | None = None,
) -> Report:
    """Do what ``check_image`` does, where the image is open already. Raises as it does."""
    timed = timed or _untimed
    with closing(ImageReader(source, cache, progress, budget)) as reader:
        with timed(f"reading {source.reference}"):
            image = reader.read(function.image_architecture)
        subject = Subject(
            image=image,
            function=function,
            contents=partial(reader.contents, image),
            repository=_repository(source, image),
            base=_base(base, function, cache, progress, budget) if base else None,
            dockerfile=images_of(dockerfile) if dockerfile else (),
            frontend=frontend_of(dockerfile) if dockerfile else None,
            budget=budget,
        )
        return judge(subject, ignores, timed)


def judge(subject: Subject, ignores: Sequence[Ignore] = (), timed: Timed | None = None) -> Report:
    """Apply every rule to what was read. Raises ImageReadError."""
    found = list(_found(subject, timed or _untimed))
    # The sort is stable, so within a severity the order is that of the rules.
    found.sort(key=lambda finding: finding.severity != "error")
    if subject.image.files is None and not any(finding.severity == "error" for finding in found):
        raise ImageReadError(f"{subject.image.reference} could not be read, for an unknown reason")
    kept, ignored = split_ignored(found, ignores, str(subject.image.reference))
    return Report(subject, tuple(_first_of_each(kept)), tuple(ignored))


def _found(subject: Subject, timed: Timed) -> Iterator[Finding]:
    for rule in RULES:
        with timed(f"rule {rule.id}"):
            yield from [finding_of(rule, problem) for problem in rule.check(subject)]


def _untimed(_step: str) -> AbstractContextManager[None]:
    return nullcontext()


def _first_of_each(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out what only repeats a rule, and say how much that is."""
    for _, same in groupby(findings, key=lambda finding: (finding.severity, finding.rule)):
        first, rest = (kept := list(same))[:_MAX_OF_A_RULE], kept[_MAX_OF_A_RULE:]
        yield from first
        if rest:
            yield msgspec.structs.replace(rest[0], found=f"{len(rest)} more like these")


def _base(
    reference: Reference,
    function: Function,
    cache: LayerCache,
    progress: Progress,
    budget: Budget,
) -> Image:
    with closing(open_source(reference, budget)) as source:
        base = ImageReader(source, cache, progress).read_documents(function.image_architecture)
    if base.config is None:
        why = "; ".join(fault.text for fault in base.faults) or "it has no image for this CPU"
        raise ImageReadError(f"the base {reference} cannot be read: {why}")
    return base


def _repository(source: ImageSource, image: Image) -> Repository | None:
    """Ask ECR what only it knows."""
    if not (isinstance(source.reference, RegistryReference) and source.reference.private_ecr):
        return None
    ecr = cast("EcrSource", source)
    try:
        status = ecr.image_status(image.digest) if image.digest else None
        return Repository(ecr.repository_policy(), status)
    except ImageReadError as error:
        # Permission to read the image does not imply this one, and the image is what matters.
        return Repository(None, None, unseen=str(error))
