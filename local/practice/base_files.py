"""The files of a base image like AWS's for Python, taken from this machine.

The interpreter under /var/lang, AWS's runtime client and boto3 beside it, and
``/lambda-entrypoint.sh`` lie where AWS's image has them; Python and CPU are this machine's.
"""

import importlib.util
import marshal
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from subprocess import run
from typing import Final

PYTHON: Final = f"python{sysconfig.get_python_version()}"
LIBRARY: Final = f"var/lang/lib/{PYTHON}"
# Debian's own Python looks for packages elsewhere: https://wiki.debian.org/Python#Deviations_from_upstream
SITE_PACKAGES: Final = (
    "var/lang/lib/python3/dist-packages"
    if "deb_system" in sysconfig.get_scheme_names()
    else f"{LIBRARY}/site-packages"
)
ENTRYPOINT: Final = "lambda-entrypoint.sh"
HANDLER_MISSING: Final = "entrypoint requires the handler name to be the first argument"
ENTRYPOINT_SCRIPT: Final = f"""#!/bin/sh
if [ $# -ne 1 ]; then
  echo "{HANDLER_MISSING}" 1>&2
  exit 142
fi
export _HANDLER="$1"
exec /var/runtime/bootstrap
"""
BOOTSTRAP: Final = f"""#!/bin/sh
export LD_LIBRARY_PATH=/var/lang/lib
exec /var/lang/bin/{PYTHON} /var/runtime/bootstrap.py
"""
# As that of AWS's images: the client comes first, and then the folders of the function's own code.
BOOTSTRAP_PY: Final = """import os
import site
import sys

from awslambdaric.__main__ import main

root = os.environ.get("LAMBDA_TASK_ROOT", "/var/task")
layers = []
if "PYTHONPATH" not in os.environ:
    layers = [f"/opt/python/lib/python3.{sys.version_info.minor}/site-packages", "/opt/python"]
sys.path[:0] = [root, *layers]
for folder in (root, *layers):
    site.addsitedir(folder)
main([sys.argv[0], os.environ["_HANDLER"]])
"""

_SHELL: Final = Path("/bin/sh")
CLIENT: Final = ("awslambdaric", "simplejson", "snapshot_restore_py")
"""AWS's runtime client, and what it needs."""
_AWS_SDK: Final = (
    "boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3",
)  # fmt: skip
# The descriptions of all services have 25 MB; ours asks one.
_SDK_LEFT_OUT: Final = re.compile(
    r"(?:boto3|botocore)/data/(?!dynamodb/)[^/]+/.*|.*__pycache__.*|\.\./.*"
)
# Nothing that a handler imports, but three quarters of the standard library's bytes.
_LEFT_OUT: Final = re.compile(
    r"(?:__pycache__|config-.*|distutils|ensurepip|idlelib|lib2to3|pydoc_data|(?:dist|site)-packages"
    r"|tests?|tkinter|turtledemo|(?:_test|_ctypes_test|xx|_curses|nis|ossaudiodev|readline|_tkinter).*\.so)"
)


@dataclass(frozen=True)
class BaseFile:
    """A file of the image; ``path`` has no slash at its beginning."""

    path: str
    content: bytes
    mode: int = 0o644


def base_files() -> Iterator[BaseFile]:
    """Yield all files of the base once, each script of Python with its bytecode."""
    found = {file.path: file for file in (*_own_files(), *python_runtime(), *_aws_sdk())}
    for file in found.values():
        yield file
        if file.path.endswith(".py"):
            yield _compiled(file)


def python_runtime() -> Iterator[BaseFile]:
    """Yield interpreter and runtime client under /var/lang, and the libraries where they are here.

    The interpreter finds its own library by where it lies, so it can lie anywhere.
    """
    program = Path(sys.base_prefix, "bin", PYTHON)
    client = {
        str(file): Path(str(file.locate()))
        for package in CLIENT
        for file in files(package) or []
        if not any(_LEFT_OUT.fullmatch(part) for part in file.parts)
    }
    yield from interpreter_files(program, Path(sysconfig.get_path("stdlib")), client, SITE_PACKAGES)


def interpreter_files(
    program: Path, library: Path, packages: Mapping[str, Path], site_packages: str
) -> Iterator[BaseFile]:
    """Yield an interpreter under /var/lang, with packages by their names in ``site_packages``."""
    found = {f"var/lang/bin/{program.name}": program}
    inside = f"var/lang/lib/{program.name}"
    found |= {f"{inside}/{path.relative_to(library)}": path for path in _files(library)}
    found |= {f"{site_packages}/{name}": path for name, path in packages.items()}
    own = f"{program.parent.parent}/lib/"
    found |= _shared_libraries([path for path in found.values() if _is_elf(path)], own)
    yield from map(_file, found, found.values())


def _own_files() -> Iterator[BaseFile]:
    yield BaseFile(ENTRYPOINT, ENTRYPOINT_SCRIPT.encode(), 0o755)
    yield BaseFile("var/runtime/bootstrap", BOOTSTRAP.encode(), 0o755)
    yield BaseFile("var/runtime/bootstrap.py", BOOTSTRAP_PY.encode())
    yield _file("bin/sh", _SHELL)
    libraries = _shared_libraries([_SHELL], own="/nowhere/")
    yield from map(_file, libraries, libraries.values())


def _aws_sdk() -> Iterator[BaseFile]:
    for package in _AWS_SDK:
        for file in files(package) or []:
            if not _SDK_LEFT_OUT.fullmatch(str(file)):
                yield _file(f"{SITE_PACKAGES}/{file}", Path(str(file.locate())))


def _file(name: str, path: Path) -> BaseFile:
    return BaseFile(name, path.read_bytes(), path.stat().st_mode & 0o777)


def _compiled(source: BaseFile) -> BaseFile:
    """Compile for good: the root is read-only, and no time of a file is kept in a layer.

    https://peps.python.org/pep-0552/
    """
    flags = (1).to_bytes(4, "little")
    code = marshal.dumps(compile(source.content, f"/{source.path}", "exec", dont_inherit=True))
    path = importlib.util.cache_from_source(source.path)
    header = importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(source.content)
    return BaseFile(path, header + code)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if _LEFT_OUT.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _shared_libraries(programs: Iterable[Path], own: str) -> dict[str, Path]:
    """Find what the loader would load for them, and the loader.

    Those below ``own`` lie beside the interpreter.
    """
    listed = run(["ldd", *map(str, programs)], capture_output=True, text=True, check=True)  # noqa: S603, S607  (of the C library, and files that are there)
    names = sorted(set(re.findall(r"(/\S+) \(0x", listed.stdout)))
    return {
        f"var/lang/lib/{Path(name).name}" if name.startswith(own) else name.lstrip("/"): Path(name)
        for name in names
    }
