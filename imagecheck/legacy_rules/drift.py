"""Section H: what makes the next build another image than the last."""

from collections.abc import Iterator

from imagecheck.finding import Finding
from imagecheck.image.reference import DIGEST
from imagecheck.legacy_rules.legacy import error, warning
from imagecheck.subject import Subject


def base_by_tag(subject: Subject) -> Iterator[Finding]:
    """H1."""
    for use in subject.dockerfile:
        if use.digest is None:
            yield error(
                "H1",
                f"line {use.line} of the Dockerfile takes {use.image}, which is another image"
                f" whenever its tag moves: {use.instruction}",
                f"name it by digest: skopeo inspect --raw docker://{use.image} | sha256sum",
                line=use.line,
            )


def built_on_another_base(subject: Subject) -> Iterator[Finding]:
    """H2. Labels can say anything; the digests of layers cannot.

    https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#layer-diffid
    """
    base, config = subject.base, subject.image.config
    if not base or not base.config or not config:
        return
    wanted = base.config.rootfs.diff_ids or []
    found = (config.rootfs.diff_ids or [])[: len(wanted)]
    if found != wanted:
        same = sum(1 for _ in _while_equal(found, wanted))
        yield error(
            "H2",
            f"only {same} of the {len(wanted)} layers of {base.reference} are at the start of the"
            " image, so it was built on another base",
            "build again from the Dockerfile as it is, with --pull",
        )


def pinned_base_is_an_index(subject: Subject) -> Iterator[Finding]:
    """H3."""
    base = subject.base
    if not base or not base.root or not base.root.is_index:
        return
    architecture = subject.function.image_architecture
    fitting = [
        child.digest
        for child in base.root.manifests or []
        if child.platform and child.platform.architecture == architecture
    ]
    yield warning(
        "H3",
        f"{base.reference} is an index of {len(base.root.manifests or [])} manifests: whoever"
        " builds picks the CPU",
        f"pin the one for {architecture}: {fitting[0] if fitting else 'there is none'}",
    )


def not_what_was_checked(subject: Subject) -> Iterator[Finding]:
    """H4."""
    image, declared = subject.image, subject.function.declared
    reference = image.reference
    if getattr(reference, "host", None) and reference.digest is None:
        yield warning(
            "H4",
            f"{reference} is a tag, and can move between this check and the deployment",
            f"check and deploy it by digest: {image.digest or 'sha256:…'}",
        )
    match = DIGEST.search(declared.image_uri) if declared else None
    if declared and match and image.digest and match[0] != image.digest:
        yield error(
            "H4",
            f"{declared.logical_id} runs {match[0]}, and what was checked is {image.digest}",
            "check the image that the template names, or pin the one that was checked",
        )


def _while_equal(first: list[str], second: list[str]) -> Iterator[str]:
    for one, other in zip(first, second, strict=False):
        if one != other:
            return
        yield one


RULES = (base_by_tag, built_on_another_base, pinned_base_is_an_index, not_what_was_checked)
