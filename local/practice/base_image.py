"""A base image in the registry that stands in for AWS's, which is not needed to practise."""

import gzip
import io
import json
import platform
import tarfile
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from imagecheck.function import IMAGE_ARCHITECTURES, Architecture
from local.emulated_aws.registry_client import RegistryClient
from local.image import CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, ImageBlob
from local.practice.base_files import ENTRYPOINT, BaseFile, base_files

REPOSITORY: Final = "base"
ENVIRONMENT: Final = {
    "LANG": "en_US.UTF-8",
    "TZ": ":/etc/localtime",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}
_MACHINES: Final[dict[str, Architecture]] = {"x86_64": "x86_64", "aarch64": "arm64"}
FOLDERS: Final = (("var/task", 0o755), ("opt", 0o755), ("tmp", 0o1777))
_TAG: Final = "latest"
_LEVEL: Final = 1


def machine_architecture() -> Architecture | None:
    """Return Lambda's name of this machine's CPU; None for one that Lambda does not have."""
    return _MACHINES.get(platform.machine())


def push_base(registry: RegistryClient, architecture: Architecture) -> str:
    """Push the base for this machine's CPU, and return its name by digest, as for FROM."""
    layer_tar = _tar(base_files())
    layer = ImageBlob(LAYER_TYPE, gzip.compress(layer_tar, compresslevel=_LEVEL, mtime=0))
    config = {
        "architecture": IMAGE_ARCHITECTURES[architecture],
        "os": "linux",
        "config": {
            "Entrypoint": [f"/{ENTRYPOINT}"],
            "WorkingDir": "/var/task",
            "Env": [f"{name}={value}" for name, value in ENVIRONMENT.items()],
        },
        "rootfs": {"type": "layers", "diff_ids": [ImageBlob(LAYER_TYPE, layer_tar).digest]},
        "history": [{"created_by": "make cloud"}],
    }
    config_blob = ImageBlob(CONFIG_TYPE, json.dumps(config).encode())
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": config_blob.descriptor(),
        "layers": [layer.descriptor()],
    }
    manifest_blob = ImageBlob(MANIFEST_TYPE, json.dumps(manifest).encode())
    for blob in (layer, config_blob):
        registry.put_blob(REPOSITORY, blob.digest, blob.content)
    registry.put_manifest(REPOSITORY, _TAG, MANIFEST_TYPE, manifest_blob.content.decode())
    return f"{registry.host}/{REPOSITORY}@{manifest_blob.digest}"


def _tar(files: Iterable[BaseFile]) -> bytes:
    """Pack files, and the folders that they are in, without owners and times."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        known: set[str] = set()
        for name, mode in FOLDERS:
            _add_parents(tar, known, name)
            _add_folder(tar, known, name, mode)
        for file in files:
            _add_parents(tar, known, file.path)
            entry = tarfile.TarInfo(file.path)
            entry.mode, entry.size = file.mode, len(file.content)
            tar.addfile(entry, io.BytesIO(file.content))
    return buffer.getvalue()


def _add_parents(tar: tarfile.TarFile, known: set[str], name: str) -> None:
    for parent in reversed(PurePosixPath(name).parents[:-1]):
        if str(parent) not in known:
            _add_folder(tar, known, str(parent), 0o755)


def _add_folder(tar: tarfile.TarFile, known: set[str], name: str, mode: int) -> None:
    known.add(name)
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    tar.addfile(entry)
