"""The base that is pinned is an index."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import BUILD, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at what the base's reference names."""
    base = subject.base
    if not base or not base.root or not base.root.is_index:
        return
    children = base.root.manifests or []
    architecture = subject.function.image_architecture
    fitting = [child.digest for child in children if child.architecture == architecture]
    yield Problem(
        f"{base.reference} is an index of {len(children)} manifests: each build picks its own CPU",
        f"pin the one for {architecture}: {fitting[0] if fitting else 'there is none'}",
    )


RULE = Rule(
    id="H3",
    title="The pinned base is an index",
    severity="warning",
    error_type="",
    when=BUILD,
    why=(
        "The digest of an index names images for several CPUs. Docker picks the one of the"
        " machine that builds, so the same Dockerfile gives an arm64 image on one laptop and an"
        " amd64 image on another, unless --platform is given."
    ),
    fix="Pin the digest of the manifest for the function's CPU.",
    source="https://github.com/docker/cli/issues/2590",
    bad="""\
FROM public.ecr.aws/lambda/nodejs:22@sha256:…          # the index
""",
    good="""\
FROM public.ecr.aws/lambda/nodejs:22-arm64@sha256:…    # the manifest for arm64
""",
    check=check,
)
