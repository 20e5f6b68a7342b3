"""Programs in Python that are no runtime client: what they are told to run is there, or not."""

from pathlib import Path

import pytest

from imagecheck.image.layer_cache import LayerCache
from imagecheck.start.handler_problem import HandlerProblem
from imagecheck.start.python.modules import Miss, Module
from imagecheck.start.python.program import can_import, find_client, judge_python_program
from imagecheck.subject import Subject
from tests.support.imagecheck.cases import Case, check_case, scratch
from tests.support.imagecheck.images import File
from tests.support.imagecheck.programs import tiny_elf

_SITE = "usr/local/lib/python3.12/site-packages"


def _subject(folder: Path, *command: str) -> Subject:
    make = scratch(
        File("usr/local/bin/python3.12", tiny_elf(), 0o755),
        File("usr/local/lib/python3.12/os.py", ""),
        File("usr/local/bin/gunicorn", "#!/usr/local/bin/python3.12\nimport gunicorn\n", 0o755),
        File(f"{_SITE}/gunicorn/__init__.py", ""),
        File(f"{_SITE}/uvicorn/__init__.py", ""),
        File(f"{_SITE}/uvicorn/__main__.py", "import uvicorn\n"),
        File("app/main.py", "import json\napp = None\n"),
        File("app/broken.py", "import nothere\n"),
        entrypoint=list(command),
        workdir="/app",
        env={"PATH": "/usr/local/bin"},
    )
    case = Case(name="program", make=make)
    return check_case(case, case.write(folder), LayerCache(folder / "cache")).subject


def _found(subject: Subject) -> list[str]:
    assert subject.launch
    said = judge_python_program(subject, subject.launch.last)
    return [one.problem.found for one in said if isinstance(one, HandlerProblem)]


@pytest.mark.parametrize(
    "command",
    [
        ("python3.12", "main.py"),
        ("python3.12", "-m", "main"),
        ("python3.12", "-m", "uvicorn", "main:app", "--port", "8080"),
        ("gunicorn", "-b=:8080", "-w=1", "main:app"),
    ],
    ids=" ".join,
)
def test_a_program_whose_parts_are_there_is_no_problem(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    assert _found(_subject(tmp_path, *command)) == []


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (("python3.12", "server.py"), "/app/server.py"),
        (("python3.12", "broken.py"), "nothere"),
        (("python3.12", "-m", "hypercorn", "main:app"), "hypercorn"),
        (("python3.12", "-m", "uvicorn", "server:app"), "server"),
        (("gunicorn", "broken:app"), "nothere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_what_a_program_lacks_is_named(
    command: tuple[str, ...], named: str, tmp_path: Path
) -> None:
    (found,) = _found(_subject(tmp_path, *command))

    assert named in found


def test_the_client_is_looked_for_where_this_python_looks(tmp_path: Path) -> None:
    subject = _subject(tmp_path, "python3.12", "main.py")
    assert subject.launch

    assert isinstance(find_client(subject, subject.launch.last), Miss)


def test_what_is_installed_is_found(tmp_path: Path) -> None:
    subject = _subject(tmp_path, "python3.12", "main.py")
    assert subject.launch

    assert isinstance(can_import(subject, subject.launch.last, "gunicorn"), Module)
