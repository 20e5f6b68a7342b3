"""Build the function's image: one platform, one manifest, and the same digest from every checkout.

What is built lies in ``build/image`` as an OCI layout, and ``build/record.json`` says what it is.
Both are replaced when all went well, and else stay as they were.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from config.file_lock import waiting_for_lock
from config.function_libraries import PYTHON_VERSION
from config.os_error import reason_of
from config.project import Project, Stage, now
from imagecheck.errors import FailedError
from imagecheck.function import IMAGE_ARCHITECTURES, Architecture
from imagecheck.image.image import Image
from imagecheck.image.image_reader import ImageReader
from imagecheck.image.layer_cache import LayerCache, default_folder
from imagecheck.image.layout import LayoutSource
from imagecheck.image.manifest import GZIP_LAYER_TYPES
from imagecheck.image.reference import FileReference
from imagecheck.progress import ProgressBar
from imagecheck.terminal import step
from release.build.base_image import Base, is_on_this_machine, read_base, require_digests
from release.build.base_table import with_base
from release.build.buildah import build_with_buildah
from release.build.builder import Builder, choose_builder
from release.build.buildx import build_with_buildx
from release.build.context import SOURCE, write_context
from release.build.failure import explain
from release.build.record import BUILD, LAYOUT, BuildRecord, write_record
from release.build.tool import BuildToolError
from release.errors import RefusedError

_CONTEXT, _LAYOUT = "context", "image"
_MEGABYTE = 1_000_000


def build_image(
    project: Project,
    stage: Stage,
    *,
    builder: Builder | None,
    build_arguments: Mapping[str, str],
    skip_base_digest: bool = False,
    skip_base_architecture: bool = False,
) -> BuildRecord:
    """Build the image for a stage, and return its record. ``builder`` None: what is there.

    Raises:
        RefusedError: the Dockerfile, the base or what was built is not as it has to be.
        FailedError: it cannot be built here.
        ImageReadError: the base, or what was built, cannot be read.

    """
    architecture = stage.settings.architecture
    dockerfile = project.root / SOURCE / "Dockerfile"
    python_version = build_arguments.get("PYTHON_VERSION", PYTHON_VERSION)
    chosen = choose_builder(builder)
    build_arguments = with_base(dockerfile, build_arguments, architecture)
    require_digests(dockerfile, build_arguments, architecture=architecture, skip=skip_base_digest)
    base = read_base(
        dockerfile,
        build_arguments,
        architecture=architecture,
        skip_architecture=skip_base_architecture,
    )
    revision = project.revision()
    with _work_folder(project.root) as folder:
        with step(f"source, and libraries for Python {python_version} on {architecture}"):
            write_context(
                project, folder / _CONTEXT, architecture=architecture, python_version=python_version
            )
        size = f"{base.compressed_size / _MEGABYTE:,.0f} MB"
        with step(f"{chosen} builds for {architecture} on {base.name} ({size})"):
            _run(chosen, folder, base, architecture, build_arguments)
        with step("reading what was built"):
            digest = _read_back(folder / _LAYOUT, architecture, base)
        record = BuildRecord(
            digest=digest,
            architecture=architecture,
            base_digest=base.digest,
            source_revision=revision.commit,
            dirty=revision.dirty,
            built_at=now(),
        )
        _put_in_place(project.root, folder, record)
    return record


@contextmanager
def _work_folder(root: Path) -> Iterator[Path]:
    """Give a folder beside the image, on its file system, and remove it in the end."""
    try:
        (root / BUILD).mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="building-", dir=root / BUILD))
    except OSError as error:
        raise FailedError(f"{root / BUILD} cannot be written: {reason_of(error)}") from error
    try:
        yield folder
    except OSError as error:
        raise FailedError(f"{error.filename or folder}: {reason_of(error)}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(
    builder: Builder,
    folder: Path,
    base: Base,
    architecture: Architecture,
    build_arguments: Mapping[str, str],
) -> None:
    platform = f"linux/{IMAGE_ARCHITECTURES[architecture]}"
    try:
        if builder == "buildah":
            build_with_buildah(
                folder,
                context=_CONTEXT,
                layout=_LAYOUT,
                platform=platform,
                build_arguments=build_arguments,
                plain_http=is_on_this_machine(folder / _CONTEXT / "Dockerfile", build_arguments),
            )
        else:
            build_with_buildx(
                folder,
                context=_CONTEXT,
                layout=_LAYOUT,
                platform=platform,
                build_arguments=build_arguments,
            )
    except BuildToolError as error:
        raise explain(builder, error.lines, architecture=architecture, base=base.name) from error


def _read_back(layout: Path, architecture: Architecture, base: Base) -> str:
    """Hold what the builder wrote against what was wanted, and return its digest."""
    with closing(LayoutSource(FileReference("oci", layout))) as source, ProgressBar() as progress:
        reader = ImageReader(source, LayerCache(default_folder()), progress)
        image = reader.read(IMAGE_ARCHITECTURES[architecture])
    wrong = list(_wrong(image, architecture, base))
    if wrong or image.digest is None:
        raise RefusedError("what was built is not what Lambda takes: " + "; ".join(wrong))
    return image.digest


def _wrong(image: Image, architecture: Architecture, base: Base) -> Iterator[str]:
    if image.root and image.root.is_index:
        yield "it is an image index (several platforms, or attestations), and Lambda takes none"
        return
    yield from (fault.text for fault in image.faults)
    if image.manifest is None or image.config is None:
        return
    others = {layer.media_type for layer in image.manifest.layers or ()} - {*GZIP_LAYER_TYPES}
    if others:
        yield f"it has layers that are not compressed with gzip ({', '.join(sorted(others))})"
    if image.config.architecture != IMAGE_ARCHITECTURES[architecture]:
        yield f"it is for {image.config.architecture}, and the function is for {architecture}"
    diff_ids = tuple(image.config.rootfs.diff_ids or ())
    if diff_ids[: len(base.diff_ids)] != base.diff_ids:
        yield (
            f"its first layers are not those of {base.digest}: the base has moved while it was"
            " built, or the builder rewrites it (BuildKit before 0.14 does)"
        )


def _put_in_place(root: Path, folder: Path, record: BuildRecord) -> None:
    """Let the new image and its record take the place of the old; of both, or of none."""
    layout, old = root / LAYOUT, folder / "old"
    # Another build would rename its image in between, and leave one image with another's record.
    with waiting_for_lock(layout.with_name("image.lock"), "another build in this checkout"):
        try:
            if layout.exists():
                layout.rename(old)
            (folder / _LAYOUT).rename(layout)
            write_record(root, record)
        except BaseException:
            if old.exists():
                shutil.rmtree(layout, ignore_errors=True)
                old.rename(layout)
            raise
