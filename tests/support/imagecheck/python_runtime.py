"""A layer in which a real CPython and AWS's runtime client start under the Runtime API.

Both are those that run the tests, so what they report of a handler, Lambda reports.
"""

import functools
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import files
from pathlib import Path

from tests.support.imagecheck.images import File, Layer, Member, layer_of
from tests.support.imagecheck.programs import aws_like_base
from tests.support.imagecheck.tools import run

CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py")
PYTHON = f"python{sysconfig.get_python_version()}"
LIBRARY = f"var/lang/lib/{PYTHON}"
# Debian's own Python looks for packages elsewhere: https://wiki.debian.org/Python#Deviations_from_upstream
SITE_PACKAGES = (
    "var/lang/lib/python3/dist-packages"
    if "deb_system" in sysconfig.get_scheme_names()
    else f"{LIBRARY}/site-packages"
)
BOOTSTRAP = f"""#!/bin/sh
export LD_LIBRARY_PATH=/var/lang/lib
exec /var/lang/bin/{PYTHON} /var/runtime/bootstrap.py
"""
# As that of AWS's images: the client comes first, and then the folders of the function's own code.
BOOTSTRAP_PY = """import os
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
# Nothing that a handler imports, but three quarters of the standard library's bytes.
_LEFT_OUT = re.compile(
    r"(?:__pycache__|config-.*|distutils|ensurepip|idlelib|lib2to3|pydoc_data|(?:dist|site)-packages"
    r"|tests?|tkinter|turtledemo|(?:_test|_ctypes_test|xx|_curses|nis|ossaudiodev|readline|_tkinter).*\.so)"
)


@functools.cache
def python_base() -> Layer:
    """Return a layer like that of AWS's base image for Python; it has no handler yet."""
    bootstrap = File("var/runtime/bootstrap.py", BOOTSTRAP_PY)
    return layer_of(*aws_like_base(BOOTSTRAP), bootstrap, *python_runtime())


def python_runtime() -> Iterator[Member]:
    """Yield the interpreter under /var/lang, as AWS has it, and the libraries where they are here.

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
) -> Iterator[Member]:
    """Yield an interpreter under /var/lang, with packages by their names in ``site_packages``."""
    found = {f"var/lang/bin/{program.name}": program}
    inside = f"var/lang/lib/{program.name}"
    found |= {f"{inside}/{path.relative_to(library)}": path for path in _files(library)}
    found |= {f"{site_packages}/{name}": path for name, path in packages.items()}
    own = f"{program.parent.parent}/lib/"
    found |= _shared_libraries([path for path in found.values() if _is_elf(path)], own)
    for name, path in found.items():
        yield File(name, path.read_bytes(), path.stat().st_mode & 0o777)


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
    names = sorted(set(re.findall(r"(/\S+) \(0x", run(["ldd", *map(str, programs)]))))
    return {
        f"var/lang/lib/{Path(name).name}" if name.startswith(own) else name: Path(name)
        for name in names
    }
