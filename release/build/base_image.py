"""The base that an image is to be built on: named by digest, and for the function's CPU."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from imagecheck.dockerfile import ImageUse, base_of, frontend_of, images_of
from imagecheck.function import IMAGE_ARCHITECTURES, Architecture
from imagecheck.image.image import FaultKind, Image
from imagecheck.image.image_reader import ImageReader
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import RegistryReference, parse_reference
from imagecheck.progress import ProgressBar
from imagecheck.terminal import warn
from release.errors import RefusedError


@dataclass(frozen=True)
class Base:
    """The base as its registry has it now."""

    name: str
    """As FROM names it."""
    digest: str
    """What the name stands for: a manifest, or an index that has one for the function's CPU."""
    diff_ids: tuple[str, ...]
    """Its layers: what is built on it begins with them."""
    compressed_size: int
    """What there is to be pulled, in bytes."""


def require_digests(
    dockerfile: Path,
    build_arguments: Mapping[str, str],
    *,
    architecture: Architecture,
    skip: bool,
) -> None:
    """Require that no image that the Dockerfile takes, or is read by, is another one tomorrow.

    Raises:
        RefusedError: one is named without digest, and that is not to be skipped.
        ImageReadError: the file cannot be read.

    """
    frontend = frontend_of(dockerfile, build_arguments)
    uses = (*([frontend] if frontend else []), *images_of(dockerfile, build_arguments))
    floating = [use for use in uses if not use.digest]
    name = _name(dockerfile)
    lines = [
        f"{name}, line {use.line}: `{use.instruction}` takes {use.image} without digest"
        for use in floating
    ]
    if not floating:
        return
    if skip:
        for line in lines:
            warn(f"WARNING: {line}: another build may take another image (--skip-base-digest)")
        return
    raise RefusedError(
        "\n".join(lines) + "\nAnother build may take another image.",
        hint="write NAME@sha256:... there, or in --build-arg\n"
        f"find today's digest: {_finds_digest(floating[0], frontend, architecture)}",
    )


def read_base(
    dockerfile: Path,
    build_arguments: Mapping[str, str],
    *,
    architecture: Architecture,
    skip_architecture: bool,
) -> Base:
    """Ask the registry for the base of the last stage.

    A builder writes the platform that it is told to into what it builds, whatever the base is for.

    Raises:
        RefusedError: there is none, the registry does not have it, or it is for another CPU, and
            that is not to be skipped.
        ImageReadError: the registry cannot be asked.
        InvalidReferenceError: the name is not one of an image in a registry.

    """
    use = base_of(dockerfile, build_arguments)
    if use is None:
        raise RefusedError(
            f"{_name(dockerfile)} builds on `scratch`: Lambda needs a base with a runtime client"
        )
    image = _read(use, architecture)
    if image.config is None or image.manifest is None or image.digest is None:
        raise RefusedError(f"the base {use.image} cannot be used: {_why(image, architecture)}")
    found = image.config.architecture
    if found != IMAGE_ARCHITECTURES[architecture]:
        what = f"the base {use.image} is for {found}, and the function is for {architecture}"
        if not skip_architecture:
            raise RefusedError(
                f"{what}; the builder would write {architecture} onto programs for {found}",
                hint=f"name a base for {architecture}",
            )
        warn(f"WARNING: {what} (--skip-base-architecture)")
    return Base(
        name=use.image,
        digest=image.digest,
        diff_ids=tuple(image.config.rootfs.diff_ids or ()),
        compressed_size=sum(layer.size for layer in image.manifest.layers or ()),
    )


def is_on_this_machine(dockerfile: Path, build_arguments: Mapping[str, str]) -> bool:
    """Whether all images come from a registry on this machine, so that plain HTTP will do."""
    references = [
        parse_reference(f"docker://{use.image}") for use in images_of(dockerfile, build_arguments)
    ]
    return all(isinstance(r, RegistryReference) and r.is_loopback for r in references)


def _finds_digest(use: ImageUse, frontend: ImageUse | None, architecture: Architecture) -> str:
    if use is frontend:
        # It has no function's CPU, and only Docker takes it.
        return f"docker buildx imagetools inspect {use.image}"
    return f"python -m release check docker://{use.image} --architecture {architecture}"


def _name(dockerfile: Path) -> str:
    return f"{dockerfile.parent.name}/{dockerfile.name}"


def _read(use: ImageUse, architecture: Architecture) -> Image:
    reference = parse_reference(f"docker://{use.image}")
    with closing(open_source(reference)) as source, ProgressBar() as progress:
        reader = ImageReader(source, LayerCache(None), progress)
        return reader.read_documents(IMAGE_ARCHITECTURES[architecture])


def _why(image: Image, architecture: Architecture) -> str:
    if any(fault.kind is FaultKind.NOT_THERE for fault in image.faults):
        return "its registry has no such image"
    if image.faults:
        return "; ".join(fault.text for fault in image.faults)
    return f"it has no image for {architecture}"
