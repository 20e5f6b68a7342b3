"""Makes images: layers from a few words, written as an OCI layout, right or wrong on purpose.

    layer = layer_of(File("app/run", PROGRAM, 0o755), Symlink("run", "/app/run"))
    image = write_image(tmp_path, [layer], entrypoint=["/run"])

What is wrong is made from what is right: ``replace(layer, diff_id=...)`` for what a manifest says
of a layer, ``manifest_changes`` and ``config_changes`` for the documents, and
``image.blob(digest).unlink()`` or ``.write_bytes(...)`` for what lies in the folder.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

from imagecheck.image.manifest import OCI_INDEX, OCI_MANIFEST, digest_of

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
TAG = "latest"

Compression = Literal["gzip", "none", "zstd"]
_MEDIA_TYPES: dict[Compression, str] = {
    "gzip": f"{OCI_LAYER}+gzip",
    "none": OCI_LAYER,
    "zstd": f"{OCI_LAYER}+zstd",
}


class Raw(NamedTuple):
    """Any member at all, hostile ones too: it is written as it is given."""

    info: tarfile.TarInfo
    content: bytes = b""

    def raw(self) -> "Raw":
        return self


@dataclass(frozen=True)
class File:
    path: str
    content: bytes | str = b""
    mode: int = 0o644

    def raw(self) -> Raw:
        content = self.content.encode() if isinstance(self.content, str) else self.content
        return _member(self.path, tarfile.REGTYPE, mode=self.mode, content=content)


@dataclass(frozen=True)
class Directory:
    path: str
    mode: int = 0o755

    def raw(self) -> Raw:
        return _member(self.path, tarfile.DIRTYPE, mode=self.mode)


@dataclass(frozen=True)
class Symlink:
    path: str
    target: str

    def raw(self) -> Raw:
        return _member(self.path, tarfile.SYMTYPE, mode=0o777, linkname=self.target)


@dataclass(frozen=True)
class HardLink:
    """A second name for a file; ``target`` counts from the root, as tar has it."""

    path: str
    target: str

    def raw(self) -> Raw:
        return _member(self.path, tarfile.LNKTYPE, linkname=self.target.lstrip("/"))


@dataclass(frozen=True)
class Whiteout:
    """Removes what lower layers have at ``path``."""

    path: str

    def raw(self) -> Raw:
        path = PurePosixPath(self.path)
        return _member(str(path.with_name(f".wh.{path.name}")), tarfile.REGTYPE)


@dataclass(frozen=True)
class Opaque:
    """Removes what lower layers have in the directory at ``path``."""

    path: str

    def raw(self) -> Raw:
        return _member(f"{self.path}/.wh..wh..opq", tarfile.REGTYPE)


Member = File | Directory | Symlink | HardLink | Whiteout | Opaque | Raw


@dataclass(frozen=True)
class Layer:
    """A layer's bytes, and what a manifest and a configuration say of it."""

    blob: bytes
    diff_id: str
    media_type: str
    digest: str
    size: int
    urls: tuple[str, ...] = ()

    def descriptor(self) -> dict[str, Any]:
        urls = {"urls": list(self.urls)} if self.urls else {}
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size, **urls}


@dataclass(frozen=True)
class Image:
    """A manifest or an index in an OCI layout."""

    folder: Path
    descriptor: Mapping[str, Any]

    @property
    def digest(self) -> str:
        return str(self.descriptor["digest"])

    @property
    def reference(self) -> str:
        """How a command line names it; the folder's index.json names it alone."""
        return f"oci:{self.folder}"

    def blob(self, digest: str) -> Path:
        """Where the blob of this digest lies."""
        return _blob(self.folder, digest)


def layer_of(
    *members: Member,
    compression: Compression = "gzip",
    tar_format: int = tarfile.PAX_FORMAT,
    parents: bool = True,
) -> Layer:
    """Make a layer; the same members always give the same bytes.

    Directories on the way that are not given come first, with mode 0755, as builders write them.
    ``parents=False`` leaves them out: then a lower layer's directory (or link) stays as it is.
    """
    raw = [member.raw() for member in members]
    tar = _tar([*_parents(raw), *raw] if parents else raw, tar_format)
    return layer_from_tar(tar, compression=compression)


def layer_from_tar(tar: bytes, *, compression: Compression = "gzip") -> Layer:
    """Make a layer of any bytes, as if they were a tar file."""
    blob = _compressed(tar, compression)
    return Layer(blob, digest_of(tar), _MEDIA_TYPES[compression], digest_of(blob), len(blob))


def write_image(
    folder: Path,
    layers: Sequence[Layer],
    *,
    architecture: str = "amd64",
    os: str = "linux",
    entrypoint: Sequence[str] | None = None,
    cmd: Sequence[str] | None = None,
    workdir: str | None = "/var/task",
    env: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    manifest_changes: Mapping[str, Any] | None = None,
    config_changes: Mapping[str, Any] | None = None,
) -> Image:
    """Write an image as the only one that the layout in ``folder`` names.

    ``manifest_changes`` and ``config_changes`` replace keys of the documents' top level; a key
    whose value is None is left out.
    """
    runs = {
        "Entrypoint": entrypoint,
        "Cmd": cmd,
        "WorkingDir": workdir,
        "Env": [f"{name}={value}" for name, value in env.items()] if env else None,
        "Labels": labels,
    }
    config = {
        "created": "1970-01-01T00:00:00Z",
        "architecture": architecture,
        "os": os,
        "config": {name: value for name, value in runs.items() if value is not None},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "tests"} for _ in layers],
    }
    config_blob = _changed(config, config_changes)
    for layer in layers:
        _write_blob(folder, layer.blob, layer.digest)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": OCI_CONFIG,
            "digest": _write_blob(folder, config_blob),
            "size": len(config_blob),
        },
        "layers": [layer.descriptor() for layer in layers],
    }
    image = _write_document(folder, _changed(manifest, manifest_changes), OCI_MANIFEST)
    platform = {"platform": {"architecture": architecture, "os": os}}
    image = Image(folder, {**image.descriptor, **platform})
    write_layout(folder, image)
    return image


def write_index(folder: Path, *images: Image, media_type: str = OCI_INDEX) -> Image:
    """Write an index of images that are in ``folder``, as what its layout names."""
    index = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [image.descriptor for image in images],
    }
    image = _write_document(folder, _json(index), media_type)
    write_layout(folder, image)
    return image


def write_attestation(image: Image) -> Image:
    """Write the child that buildx adds to an index beside ``image``, into the same folder.

    What the layout names is to be written after it, by ``write_index``.
    """
    statement = _json({"_type": "https://in-toto.io/Statement/v0.1", "subject": []})
    in_toto = Layer(
        statement,
        digest_of(statement),
        "application/vnd.in-toto+json",
        digest_of(statement),
        len(statement),
    )
    attestation = write_image(
        image.folder, [in_toto], architecture="unknown", os="unknown", workdir=None
    )
    annotations = {
        "vnd.docker.reference.digest": image.digest,
        "vnd.docker.reference.type": "attestation-manifest",
    }
    return Image(image.folder, {**attestation.descriptor, "annotations": annotations})


def only_image(folder: Path) -> Image:
    """Return what the layout in ``folder`` names, also when another tool wrote it."""
    (descriptor,) = json.loads((folder / "index.json").read_bytes())["manifests"]
    return Image(folder, descriptor)


def write_layout(folder: Path, *images: Image) -> None:
    """Let the layout in ``folder`` name these images: none, one or several."""
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    (folder / "index.json").write_bytes(
        _json({"schemaVersion": 2, "manifests": [_tagged(image.descriptor) for image in images]})
    )


def _member(
    path: str, type_: bytes, *, mode: int = 0o644, content: bytes = b"", linkname: str = ""
) -> Raw:
    info = tarfile.TarInfo(path.strip("/"))
    info.type, info.mode, info.size, info.linkname = type_, mode, len(content), linkname
    return Raw(info, content)


def _parents(members: Iterable[Raw]) -> Iterator[Raw]:
    members = list(members)
    given = {member.info.name for member in members}
    missing = {
        str(parent): None
        for member in members
        for parent in reversed(PurePosixPath(member.info.name).parents[:-1])
        if str(parent) not in given | {"/", ".."}
    }
    return (Directory(path).raw() for path in missing)


def _tar(members: Iterable[Raw], tar_format: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _compressed(tar: bytes, compression: Compression) -> bytes:
    match compression:
        case "gzip":
            return gzip.compress(tar, compresslevel=1, mtime=0)
        case "zstd":
            return _zstd(tar)
        case "none":
            return tar


def _zstd(content: bytes) -> bytes:
    """Write a frame whose blocks are all stored as they are, so that no package is needed.

    https://github.com/facebook/zstd/blob/dev/doc/zstd_compression_format.md
    """
    step = 128 * 1024
    window_of_128_kib = 7 << 3
    blocks = [content[start : start + step] for start in range(0, len(content), step)] or [b""]
    frame = bytearray(b"\x28\xb5\x2f\xfd\x00") + bytes([window_of_128_kib])
    for number, block in enumerate(blocks):
        last = number == len(blocks) - 1
        frame += (len(block) << 3 | last).to_bytes(3, "little") + block
    return bytes(frame)


def _changed(document: Mapping[str, Any], changes: Mapping[str, Any] | None) -> bytes:
    changed = {**document, **(changes or {})}
    return _json({name: value for name, value in changed.items() if value is not None})


def _write_document(folder: Path, content: bytes, media_type: str) -> Image:
    media_type = json.loads(content).get("mediaType", media_type)
    digest = _write_blob(folder, content)
    return Image(folder, {"mediaType": media_type, "digest": digest, "size": len(content)})


def _write_blob(folder: Path, content: bytes, digest: str | None = None) -> str:
    digest = digest or digest_of(content)
    path = _blob(folder, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return digest


def _blob(folder: Path, digest: str) -> Path:
    return folder / "blobs" / digest.replace(":", "/", 1)


def _tagged(descriptor: Mapping[str, Any]) -> dict[str, Any]:
    # umoci finds an image by its tag only.
    annotations = {**descriptor.get("annotations", {}), "org.opencontainers.image.ref.name": TAG}
    return {**descriptor, "annotations": annotations}


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()
