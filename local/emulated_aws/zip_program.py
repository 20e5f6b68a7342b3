"""Runs zip functions with this machine's interpreter and the real runtime client."""

import hashlib
import io
import sysconfig
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from lambda_runtime.runtime_client import RuntimeClient
from local.emulated_aws.functions import RunnableFunction, ZipPackage
from local.execution_environment import FunctionProgram

# The folders of a layer in which Lambda's Python looks, in order.
# https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
_LAYER_FOLDERS = ("python", "python/lib/python*/site-packages")


def zip_program(
    function: RunnableFunction,
    package: ZipPackage,
    *,
    variables: Mapping[str, str],
    log: Callable[[str], None],
    folder: Path,
) -> FunctionProgram:
    """Unpack code and layers below ``folder``, once for the same bytes.

    A layer with binaries for another CPU or Python than this interpreter's is left out; the
    packages of this interpreter take its place.
    """
    task_root = _unpacked(package.code, folder)
    layers = [_unpacked(layer, folder) for layer in reversed(package.layers)]
    paths = [
        path
        for layer in layers
        if _can_be_loaded(layer)
        for pattern in _LAYER_FOLDERS
        for path in sorted(layer.glob(pattern))
    ]
    settings = function.settings

    def new_process() -> RuntimeClient:
        return RuntimeClient(
            settings.handler or "",
            task_root=task_root,
            environment=variables,
            memory_mb=settings.memory_mb,
            log=log,
            layers=paths,
        )

    return FunctionProgram(new_process=new_process)


def _unpacked(content: bytes, folder: Path) -> Path:
    target = folder / hashlib.sha256(content).hexdigest()
    if not target.exists():
        partial = target.with_suffix(".partial")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(partial)
        partial.rename(target)
    return target


def _can_be_loaded(layer: Path) -> bool:
    own = str(sysconfig.get_config_var("EXT_SUFFIX"))
    return all(
        path.name.endswith((own, ".abi3.so")) or ".cpython-" not in path.name
        for path in layer.rglob("*.so")
    )
