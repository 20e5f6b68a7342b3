"""The image was built on another base than is pinned."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import BUILD, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Compare layers: labels can say anything, the digests of layers cannot."""
    base, config = subject.base, subject.image.config
    if not base or not base.config or not config:
        return
    wanted = base.config.rootfs.diff_ids or []
    found = (config.rootfs.diff_ids or [])[: len(wanted)]
    if found != wanted:
        same = sum(1 for _ in _while_equal(found, wanted))
        yield Problem(
            f"only {same} of the {len(wanted)} layers of {base.reference} are at the start of the"
            " image, so it was built on another base"
        )


def _while_equal(first: list[str], second: list[str]) -> Iterator[str]:
    for one, other in zip(first, second, strict=False):
        if one != other:
            return
        yield one


RULE = Rule(
    id="H2",
    title="Built on another base than the pinned one",
    severity="error",
    error_type="",
    when=BUILD,
    why=(
        "The layers of the base are the first layers of the image. If they are not those of the"
        " pinned base, the build used an older copy on the machine, or the Dockerfile was"
        " changed after the build, so the next build gives another image."
    ),
    fix="Build again from the Dockerfile as it is, with --pull.",
    source="https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#layer-diffid",
    bad="""\
$ docker build -t rooms .            # takes the copy of the base that is here
""",
    good="""\
$ docker build --pull -t rooms .
""",
    check=check,
)
