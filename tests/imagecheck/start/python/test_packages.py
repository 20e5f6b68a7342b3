"""Findings about handlers that import much used packages, against the interpreter itself.

The packages are installed as pip does it, once as they are and once with dependencies taken out,
and each is really imported by a process of its own. To run it under another Python, start pytest
with that one: what is installed is for the interpreter that runs the tests.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from imagecheck.budget import Budget
from imagecheck.check import check_image
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from imagecheck.subject import Subject
from local.practice.base_files import PYTHON, SITE_PACKAGES
from tests.support.imagecheck.cases import ON_HOST, Silent, built, python_elsewhere
from tests.support.imagecheck.images import File, Image, layer_of
from tests.support.imagecheck.tools import run

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("packages"),
]

REQUIREMENTS = Path(__file__).with_name("packages.txt")
IN_IMAGE = SITE_PACKAGES.replace("var/lang", "usr/local", 1)
MODULES = """
    PIL.Image aiohttp anyio asyncpg attr aws_lambda_powertools aws_xray_sdk.core bcrypt
    boto3 bs4 certifi cffi charset_normalizer click cryptography.fernet dateutil.parser
    docutils.core dotenv email_validator fastapi flask google.auth google.protobuf.message
    gunicorn.app.base httpx idna jinja2 jsonschema jwt lxml.etree mangum markupsafe
    marshmallow msgpack networkx numpy orjson packaging.version pandas paramiko psutil
    psycopg2 pydantic pymongo pymysql pytz redis regex requests rich.console sentry_sdk
    simplejson six sqlalchemy starlette.applications structlog tenacity tqdm typer tzdata
    urllib3 uvicorn websockets werkzeug wrapt yaml zope.interface
    requests.packages.urllib3.util six.moves.urllib.parse boto3.session
    botocore.vendored.six google.auth.transport.requests sqlalchemy.orm
    aws_lambda_powertools.event_handler
""".split()  # noqa: SIM905
TAKEN_OUT = """
    annotated_types blinker bson cachetools charset_normalizer cffi _cffi_backend dns idna
    jmespath markupsafe pydantic_core pytz shellingham six soupsieve sniffio
    typing_inspection urllib3 wrapt itsdangerous multidict pyasn1 referencing tzdata
""".split()  # noqa: SIM905
UNNAMED = {
    # A native module imports what is missing, and its text is not read.
    "cryptography.fernet",
    "pandas",
    "paramiko",
    # The package changes what imports find.
    "aws_lambda_powertools.event_handler",
}
"""What fails, and is not said to fail."""
_IMPORTING = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
said = {}
for name in sys.argv[2:]:
    child = os.fork()
    if not child:
        try:
            __import__(name)
        except BaseException as wrong:
            print(name, repr(wrong)[:200], file=sys.stderr)
            os._exit(1)
        os._exit(0)
    said[name] = os.waitpid(child, 0)[1] == 0
print(json.dumps(said))
"""


@dataclass(frozen=True)
class Installed:
    """Packages in a folder of this machine, and in an image."""

    folder: Path
    image: Image


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-compile", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    run([*pip, *options, "--target", str(folder), "-r", str(REQUIREMENTS)])
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=["whole", "dependencies taken out"])
def installed(
    request: pytest.FixtureRequest, site: Path, tmp_path_factory: pytest.TempPathFactory
) -> Installed:
    place = tmp_path_factory.mktemp("installed")
    folder = site
    if request.param != "whole":
        folder = place / "site"
        folder.mkdir()
        for path in site.iterdir():
            if path.name.partition(".")[0] not in TAKEN_OUT:
                (folder / path.name).symlink_to(path)
    members = [
        File(f"{IN_IMAGE}/{path.relative_to(folder)}", path.read_bytes())
        for top in sorted(folder.iterdir())
        for path in (sorted(top.rglob("*")) if top.is_dir() else [top])
        if path.is_file() and _is_of_imports(path)
    ]
    handlers = [
        File(
            f"app/{_handler_of(name)}.py", f"import {name}\n\n\ndef handler(event, context): ...\n"
        )
        for name in MODULES
    ]
    image = built(
        lambda: [python_elsewhere(), layer_of(*members, compression="none"), layer_of(*handlers)],
        entrypoint=[f"/usr/local/bin/{PYTHON}", "-m", "awslambdaric"],
        workdir="/app",
        env={"LD_LIBRARY_PATH": "/usr/local/lib"},
    )(place / "image")
    return Installed(folder, image)


def test_an_import_is_called_an_error_where_it_fails(installed: Installed, tmp_path: Path) -> None:
    real = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _IMPORTING, str(installed.folder), *MODULES],
        check=True,
        capture_output=True,
        text=True,
    )
    succeeds = json.loads(real.stdout)
    reference = parse_reference(installed.image.reference)
    cache = LayerCache(tmp_path)
    subject = check_image(reference, ON_HOST, cache=cache, progress=Silent()).subject

    said = {name: _errors(subject, name) for name in MODULES}

    sys.stdout.write(real.stderr)
    assert {name: said[name] for name in MODULES if succeeds[name] and said[name]} == {}
    assert {name for name in MODULES if not succeeds[name] and not said[name]} <= UNNAMED
    if len(succeeds) != sum(succeeds.values()):
        assert sum(map(bool, said.values())) > 25


def _is_of_imports(path: Path) -> bool:
    """Whether an import can come to a file: most of what packages bring is data."""
    is_code = path.suffix in {".py", ".pth"} or ".so" in path.suffixes
    return is_code and "tests" not in path.parts


def _errors(subject: Subject, name: str) -> list[str]:
    function = replace(ON_HOST, command=(f"{_handler_of(name)}.handler",))
    judgement = replace(subject, function=function, budget=Budget()).judgement
    assert judgement.handler
    return [
        one.problem.found
        for one in judgement.problems
        if (one.problem.severity or "error") == "error"
    ]


def _handler_of(name: str) -> str:
    return f"imports_{name.replace('.', '_')}"
