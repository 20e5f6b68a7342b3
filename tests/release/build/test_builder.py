"""Which program builds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from imagecheck.errors import FailedError
from release.build.builder import Builder, choose_builder
from tests.support.errors import shows

WORKS = "exit 0"
NO_BUILDX = "exit 1"
NO_DAEMON = (
    "[ $2 = version ] || echo 'Error: Cannot connect to the Docker daemon at"
    " unix:///var/run/docker.sock. Is the docker daemon running?'"
)

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Let there be these programs and no others, each with a script."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def install(**scripts: str) -> None:
        for name, script in scripts.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)

    return install


@pytest.mark.parametrize(
    ("programs", "chosen"),
    [
        ({"docker": WORKS, "buildah": WORKS}, "docker"),
        ({"docker": WORKS}, "docker"),
        ({"buildah": WORKS}, "buildah"),
        ({"docker": NO_BUILDX, "buildah": WORKS}, "buildah"),
        ({"docker": NO_DAEMON, "buildah": WORKS}, "buildah"),
        # What is wrong with it is said by itself, when it builds.
        ({"docker": NO_DAEMON}, "docker"),
    ],
)
def test_what_is_there_builds(install: Install, programs: dict[str, str], chosen: Builder) -> None:
    install(**programs)
    assert choose_builder(None) == chosen


@pytest.mark.parametrize("asked", ["docker", "buildah"])
def test_what_is_asked_for_builds(install: Install, asked: Builder) -> None:
    install(docker=WORKS, buildah=WORKS)
    assert choose_builder(asked) == asked


@pytest.mark.parametrize("asked", ["docker", "buildah"])
def test_a_builder_that_is_not_installed(install: Install, asked: Builder) -> None:
    install()
    with pytest.raises(FailedError, check=shows(f"^{asked} is not installed\nhint: .*buildah")):
        choose_builder(asked)


def test_without_any_builder_both_are_named(install: Install) -> None:
    install()
    with pytest.raises(
        FailedError,
        check=shows("^docker is not installed\nhint: install Docker Engine .*--builder buildah"),
    ):
        choose_builder(None)


def test_docker_without_buildx(install: Install) -> None:
    install(docker=NO_BUILDX)
    with pytest.raises(FailedError, check=shows("^docker has no buildx\nhint: install the plugin")):
        choose_builder(None)
