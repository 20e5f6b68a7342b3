"""The modules of an image that its Python finds: images of stand-ins, not started."""

from pathlib import Path

import pytest

from imagecheck.image.layer_cache import LayerCache
from tests.support.imagecheck.cases import Case, check_case, scratch
from tests.support.imagecheck.images import Directory, File, Member, Symlink
from tests.support.imagecheck.programs import tiny_elf
from tests.support.sampling import mostly_proofs

_PYTHON = "usr/local/bin/python3.12"
_LIBRARY = "usr/local/lib/python3.12"
_SITE = f"{_LIBRARY}/site-packages"
_HANDLER = "def handler(event, context):\n    return {}\n"
_CLIENT = "awslambdaric/__init__.py"


def _image(
    *members: Member,
    handler: str = "app.handler",
    program: str = f"/{_PYTHON}",
    flags: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
    client: str = _SITE,
) -> Case:
    make = scratch(
        File(_PYTHON, tiny_elf(), 0o755),
        Symlink("usr/local/bin/python", "python3.12"),
        File(f"{_LIBRARY}/os.py", ""),
        File(f"{client}/{_CLIENT}", ""),
        Directory("app"),
        *members,
        entrypoint=[program, *flags, "-m", "awslambdaric"],
        cmd=[handler],
        workdir="/app",
        env={"PATH": "/usr/local/bin", **(env or {})},
    )
    return Case(name="python", make=make)


def _app(text: str) -> File:
    return File("app/app.py", f"{text}\n{_HANDLER}")


_VENV = (
    File("app/.venv/pyvenv.cfg", "home = /usr/local/bin\nversion = 3.12.1\n"),
    Symlink("app/.venv/bin/python", "/usr/local/bin/python3.12"),
    File("app/.venv/lib/python3.12/site-packages/thing.py", ""),
)
_IN_VENV = "app/.venv/lib/python3.12/site-packages"
_ASKING = (
    "try:\n    import runtime_client\nexcept ImportError:\n    runtime_client = None\n\n\n"
    "def wait():\n    return runtime_client.next()\n"
)
_FINDER = "__editable___thing_1_0_finder"

GOOD = {
    "installed": _image(_app("import thing"), File(f"{_SITE}/thing.py", "")),
    "by a name on PATH": _image(_app("import json"), program="python"),
    "path file": _image(
        File(f"{_SITE}/_thing.pth", "/src/lib\n"), File("src/lib/app.py", _HANDLER)
    ),
    "finder of setuptools": _image(
        File(f"{_SITE}/__editable__.thing.pth", f"import {_FINDER}; {_FINDER}.install()\n"),
        File(f"{_SITE}/{_FINDER}.py", "MAPPING: dict[str, str] = {'thing': '/src/thing'}\n"),
        File("src/thing/__init__.py", ""),
        File("src/thing/main.py", _HANDLER),
        handler="thing.main.handler",
    ),
    "virtual environment": _image(
        *_VENV, _app("import thing"), program="/app/.venv/bin/python", client=_IN_VENV
    ),
    "namespace in two folders": _image(
        _app("import ns.one, ns.two"),
        File(f"{_SITE}/ns/one.py", ""),
        File("more/ns/two.py", ""),
        env={"PYTHONPATH": "/more"},
    ),
    "home that is given": _image(
        _app("import thing"),
        File("home/app/.local/lib/python3.12/site-packages/thing.py", ""),
        env={"HOME": "/home/app"},
    ),
    "added by code": _image(
        _app(
            "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'lib'))\n"
            "import thing"
        ),
        File("app/lib/thing.py", ""),
    ),
    "made by a package": _image(
        _app("from requests.packages.urllib3.util import Retry"),
        File(f"{_SITE}/requests/__init__.py", "from . import packages\n"),
        File(f"{_SITE}/requests/packages.py", "import sys\nsys.modules['x'] = sys\n"),
    ),
    "own path of a package": _image(
        _app("from keras.layers import Dense"),
        File(f"{_SITE}/keras/__init__.py", "__path__.append(__path__[0] + '/api')\n"),
        File(f"{_SITE}/keras/api/layers/__init__.py", "Dense = 1\n"),
    ),
    "condition": _image(
        _app(
            "import sys\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\n"
            "if sys.version_info < (3, 11):\n    import tomli\nif sys.platform == 'win32':\n"
            "    import winreg\n"
        )
    ),
    "distutils of setuptools": _image(
        _app("from distutils.util import strtobool"),
        File(f"{_SITE}/distutils-precedence.pth", "import os\n"),
        File(f"{_SITE}/_distutils_hack/__init__.py", ""),
    ),
    "added with its path files": _image(
        _app("import site\nsite.addsitedir('/src/libs')\nimport thing, other"),
        File("src/libs/thing.py", ""),
        File("src/libs/more.pth", "/src/more\n"),
        File("src/more/other.py", ""),
    ),
    "client on PYTHONPATH": _image(
        _app(""),
        File("packages/runtime_client.abi3.so", tiny_elf()),
        File("packages/simplejson/__init__.py", ""),
        client="packages",
        env={"PYTHONPATH": "/packages"},
    ),
    "handler unpacked from a tuple": _image(
        File("app/app.py", "def run(event, context): ...\n\n\nhandler, other = (run, 1)\n")
    ),
    "what every module has": _image(
        _app("from thing import __doc__, __file__"), File(f"{_SITE}/thing.py", "")
    ),
    "compiled only": _image(File("app/app.pyc", b"")),
    "abi3": _image(_app("import fast"), File("app/fast.abi3.so", tiny_elf())),
}
BAD = {
    "another version": (
        _image(_app("import thing"), File("usr/local/lib/python3.11/site-packages/thing.py", "")),
        "E2",
    ),
    "virtual environment that is not used": (_image(*_VENV, _app("import thing")), "E2"),
    "client of the system": (_image(*_VENV, _app(""), program="/app/.venv/bin/python"), "D4"),
    "closed home": (
        _image(
            _app("import thing"),
            Directory("home/app", 0o700),
            File("home/app/.local/lib/python3.12/site-packages/thing.py", ""),
            env={"HOME": "/home/app"},
        ),
        "E2",
    ),
    "no user's packages": (
        _image(
            _app("import thing"),
            File("home/app/.local/lib/python3.12/site-packages/thing.py", ""),
            env={"HOME": "/home/app", "PYTHONNOUSERSITE": "1"},
        ),
        "E2",
    ),
    "isolated": (_image(_app(""), flags=("-I",)), "E2"),
    "ignored environment": (
        _image(
            _app("import thing"),
            File("more/thing.py", ""),
            flags=("-E",),
            env={"PYTHONPATH": "/more"},
        ),
        "E2",
    ),
    "another ABI": (
        _image(
            _app("import fast"),
            File("app/fast.cpython-310-x86_64-linux-gnu.so", tiny_elf()),
        ),
        "E2",
    ),
    "gone from the library": (_image(_app("import cgi, imp")), "E2"),
    "gone from a module": (_image(_app("from collections import Mapping")), "E2"),
    "not yet in the library": (_image(_app("import annotationlib")), "E2"),
    "path file to nowhere": (
        _image(File(f"{_SITE}/_thing.pth", "/src/lib\n"), _app("import thing")),
        "E2",
    ),
    "dependency of a dependency": (
        _image(
            _app("import thing"),
            File(f"{_SITE}/thing/__init__.py", "from .core import run\n"),
            File(f"{_SITE}/thing/core.py", "import urllib3\n\n\ndef run(): ...\n"),
        ),
        "E2",
    ),
    "name that a version lacks": (
        _image(_app("from thing import url_quote"), File(f"{_SITE}/thing/__init__.py", "x = 1\n")),
        "E2",
    ),
    "dependency of a package that makes modules in its own name": (
        _image(
            _app("import thing"),
            File(
                f"{_SITE}/thing/__init__.py",
                "import urllib3, sys\nfor name in list(sys.modules):\n"
                "    sys.modules[f'thing.packages.{name}'] = sys.modules[name]\n",
            ),
        ),
        "E2",
    ),
    "dependency of a package with a function that makes modules": (
        _image(
            _app("import thing"),
            File(
                f"{_SITE}/thing/__init__.py",
                "import sys, urllib3\n\n\ndef load(name, made):\n    sys.modules[name] = made\n",
            ),
        ),
        "E2",
    ),
    "client of another version": (
        _image(
            _app(""),
            File(f"{_SITE}/awslambdaric/lambda_runtime_client.py", _ASKING),
            File(f"{_SITE}/runtime_client.cpython-311-x86_64-linux-gnu.so", tiny_elf()),
        ),
        "D4",
    ),
    "home without a library": (_image(_app(""), env={"PYTHONHOME": "/opt/python"}), "E2"),
    "raised again": (
        _image(_app("try:\n    import nothere\nexcept ImportError:\n    raise\n")),
        "E2",
    ),
}


def _errors(case: Case, folder: Path) -> set[str]:
    report = check_case(case, case.write(folder), LayerCache(folder / "cache"))
    about_python = ("E1", "E2", "E3", "E4", "E5", "E8", "D4", "D7")
    return {
        finding.rule
        for finding in report.findings
        if finding.severity == "error" and finding.rule in about_python
    }


@pytest.mark.parametrize("name", mostly_proofs(GOOD))
def test_what_python_finds_is_no_error(name: str, tmp_path: Path) -> None:
    assert _errors(GOOD[name], tmp_path) == set()


@pytest.mark.parametrize("name", mostly_proofs(BAD))
def test_what_python_does_not_find_is_named(name: str, tmp_path: Path) -> None:
    case, rule = BAD[name]

    assert _errors(case, tmp_path) == {rule}
