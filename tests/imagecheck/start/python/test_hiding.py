"""D7 on a file beside the handler, against a runtime client that is started beside it."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from imagecheck.check import check_image
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from local.practice.base_files import PYTHON
from tests.support.imagecheck.cases import HANDLER, ON_HOST, Silent, built, python_elsewhere
from tests.support.imagecheck.images import File, layer_of

pytestmark = pytest.mark.proof

THREADS = 2
REACHED = "the handler's module is imported"
_LISTING = "import json, sys, awslambdaric.__main__; print(json.dumps(sorted(sys.modules)))"
_NOT_LOADED = ("socket", "email", "calendar", "uuid", "html", "app")


def test_what_is_said_to_end_the_client_ends_it(tmp_path: Path) -> None:
    names = [*_loaded_by_the_client(), *_NOT_LOADED]
    image = built(
        lambda: [
            python_elsewhere(),
            layer_of(*(File(f"hide/{name}/{name}.py", HANDLER) for name in names)),
            layer_of(*(File(f"hide/{name}/main.py", HANDLER) for name in names)),
        ],
        entrypoint=[f"/usr/local/bin/{PYTHON}", "-m", "awslambdaric"],
        cmd=["main.handler"],
        env={"LD_LIBRARY_PATH": "/usr/local/lib"},
    )(tmp_path / "image")
    cache = LayerCache(tmp_path / "cache")

    def is_named(name: str) -> bool:
        function = replace(ON_HOST, workdir=f"/hide/{name}")
        reference = parse_reference(image.reference)
        report = check_image(reference, function, cache=cache, progress=Silent())
        return any(finding.rule == "D7" for finding in report.findings)

    with ThreadPoolExecutor(THREADS) as threads:
        really = dict(
            zip(names, threads.map(lambda name: _ends(tmp_path, name), names), strict=True)
        )
    said = {name: is_named(name) for name in names}

    assert {name: said[name] for name in names if said[name] != really[name]} == {}
    assert 15 < sum(said.values()) < len(names)


def _loaded_by_the_client() -> list[str]:
    """Return the modules that stand in a file of their own name, native ones too."""
    listed = subprocess.run(
        [sys.executable, "-c", _LISTING], check=True, capture_output=True, text=True
    )
    tops = {name.partition(".")[0] for name in json.loads(listed.stdout)}
    return sorted(tops - {"__main__", "awslambdaric", "sitecustomize", "usercustomize"})


def _ends(tmp_path: Path, name: str) -> bool:
    folder = tmp_path / "hide" / name
    folder.mkdir(parents=True)
    (folder / f"{name}.py").write_text(HANDLER)
    (folder / "main.py").write_text(f"print({REACHED!r}, flush=True)\n{HANDLER}")
    started = subprocess.run(
        [sys.executable, "-m", "awslambdaric", "main.handler"],
        check=False,
        cwd=folder,
        env={**os.environ, "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return REACHED not in started.stdout
