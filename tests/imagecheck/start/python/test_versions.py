"""Handlers that only some versions of Python accept, checked and started in each of them.

Every CPython of this machine from 3.11 on is put into an image with AWS's client, and started.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from imagecheck.image.layer_cache import LayerCache
from imagecheck.report.summary import not_checked
from local.practice.base_files import CLIENT
from tests.support.cdk_context import ROOT
from tests.support.imagecheck.cases import Case, built, check_case
from tests.support.imagecheck.images import File, Layer, layer_of
from tests.support.imagecheck.prediction import experience, prediction
from tests.support.imagecheck.python_runtime import interpreter_files
from tests.support.imagecheck.tools import run

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("python versions")]

OLDEST = 11
HANDLER = "\n\ndef handler(event, context):\n    return event\n"
HANDLERS = {
    "plain": "",
    # Taken out of the standard library in 3.12, 3.13 and 3.14.
    "distutils": "import distutils.version",
    "imp": "import imp",
    "asyncore": "import asyncore",
    "cgi": "import cgi",
    "telnetlib": "import telnetlib",
    "crypt": "import crypt",
    "imp-guarded": "try:\n    import imp\nexcept ImportError:\n    imp = None",
    "ast-num": "import ast\nimport pkgutil",
    # New in 3.14.
    "string-templatelib": "import string.templatelib",
    "zstd": "import compression.zstd",
    # Syntax of 3.12, 3.13 and 3.14.
    "type-parameters": "def first[T](of: list[T]) -> T:\n    return of[0]",
    "type-statement": "type Names = list[str]",
    "nested-quotes": "names = {'a': 1}\ntext = f'{names['a']}'",
    "default-of-type-parameter": "class Box[T = int]:\n    pass",
    "except-without-parentheses": "try:\n    pass\nexcept KeyError, ValueError:\n    pass",
    "template-string": "text = t'{1}'",
    "except-star": "try:\n    pass\nexcept* KeyError:\n    pass",
    "python-2": "print 'x'",
}


_ABOUT = """
import json, sys, sysconfig
print(json.dumps({"prefix": sys.base_prefix, "library": sysconfig.get_path("stdlib"),
                  "is_debian": "deb_system" in sysconfig.get_scheme_names()}))
"""


def _interpreters() -> dict[str, Path]:
    """Return programs by names such as python3.12: on the PATH, of pyenv, and this one."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    folders = [Path(sys.executable).parent, *sorted(pyenv.glob("3.*/bin"))]
    folders += [path for path in map(Path, os.get_exec_path()) if path.name != "shims"]
    found: dict[str, Path] = {}
    for program in (file for folder in folders for file in folder.glob("python3.*")):
        version = re.fullmatch(r"python3\.(\d+)", program.name)
        if version and int(version[1]) >= OLDEST:
            found.setdefault(program.name, program)
    return found


INTERPRETERS = _interpreters()


@pytest.fixture(scope="module", params=sorted(INTERPRETERS))
def python(request: pytest.FixtureRequest) -> str:
    """The name of an interpreter."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def base(python: str, tmp_path_factory: pytest.TempPathFactory) -> Layer:
    """That interpreter, with AWS's client as pip installs it for that version."""
    program = INTERPRETERS[python]
    about: dict[str, Any] = json.loads(run([str(program), "-I", "-c", _ABOUT]))
    folder = tmp_path_factory.mktemp("client")
    locked = folder / "requirements.txt"
    locked.write_text("\n".join(map(_locked, CLIENT)))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-compile", "--only-binary=:all:", "--require-hashes"]
    version = python.removeprefix("python")
    run(
        [
            *pip,
            *options,
            f"--python-version={version}",
            f"--target={folder}/site",
            "-r",
            str(locked),
        ]
    )
    site = folder / "site"
    client = {str(file.relative_to(site)): file for file in site.rglob("*") if file.is_file()}
    packages = "python3/dist-packages" if about["is_debian"] else f"{python}/site-packages"
    real = Path(about["prefix"], "bin", python)
    return layer_of(
        *interpreter_files(real, Path(about["library"]), client, f"var/lang/lib/{packages}")
    )


def _locked(package: str) -> str:
    """Return the lines of the lock file that pin one package."""
    text = (ROOT / "requirements-dev.txt").read_text()
    name = package.replace("_", "-")
    found = re.search(rf"^{name}==(?:.*\\\n)+.*$", text, re.MULTILINE)
    assert found
    return found[0]


@pytest.mark.parametrize("name", HANDLERS)
def test_it_is_said_to_start_where_it_starts(
    python: str, base: Layer, name: str, tmp_path: Path
) -> None:
    handler = layer_of(File("var/task/main.py", f"{HANDLERS[name]}{HANDLER}"))
    case = Case(
        name=name,
        make=built(
            lambda: [base, handler],
            entrypoint=[f"/var/lang/bin/{python}", "-m", "awslambdaric"],
            cmd=["main.handler"],
            workdir="/var/task",
            env={"LD_LIBRARY_PATH": "/var/lang/lib"},
        ),
    )
    image = case.write(tmp_path)
    report = check_case(case, image, LayerCache(tmp_path / "cache"))
    said, happened = prediction(report), experience(case, image)
    if happened.error_type == "Runtime.UserCodeSyntaxError" and said.error_type == "":
        # Whoever reads with an older Python than that of the image cannot know, and says so.
        assert int(python.rpartition(".")[2]) > sys.version_info.minor
        assert any("main.py" in clause for clause in not_checked(report))
    else:
        assert said.agrees_with(happened), (said, happened)
