"""A builder that cannot build is named with what to do."""

from typing import Any

import pytest

from imagecheck.errors import FailedError
from release.build.failure import explain
from release.errors import RefusedError
from tests.support.errors import shown
from tests.support.release.building import HOST_CPU, OTHER_CPU


def explained(*lines: str, builder: str = "docker", architecture: Any = HOST_CPU) -> Exception:
    return explain(builder, lines, architecture=architecture, base="registry/base@sha256:0")


@pytest.mark.parametrize(
    ("line", "todo"),
    [
        (
            "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the"
            " docker daemon running?",
            "the Docker daemon does not run, or you may not use it: start it, or build without a"
            " daemon: --builder buildah",
        ),
        (
            "ERROR: failed to build: OCI exporter is not supported for the docker driver.",
            "docker buildx create --use --driver docker-container",
        ),
        (
            "oci exporter feature is currently not supported for docker driver. Please switch to a"
            " different driver",
            "docker buildx create --use --driver docker-container",
        ),
        ("unknown flag: --provenance", "older than 0.10: update it"),
        ("Error: writing blob: write /x: no space left on device", "the disk is full"),
        (
            'Error: exec: "newuidmap": executable file not found in $PATH',
            "install uidmap and give your user lines in /etc/subuid and /etc/subgid",
        ),
    ],
)
def test_known_failures(line: str, todo: str) -> None:
    error = explained("#1 before", line)

    assert isinstance(error, FailedError)
    assert todo in str(error)
    assert str(error).endswith(f"\n  #1 before\n  {line}")


def test_any_other_failure_has_its_last_lines() -> None:
    error = explained(*map(str, range(100)), builder="buildah")

    assert isinstance(error, FailedError)
    assert str(error).splitlines() == [
        "buildah failed; its last lines:",
        *(f"  {number}" for number in range(88, 100)),
    ]


def test_programs_of_another_cpu_are_no_matter_of_the_base_where_the_machine_is_another() -> None:
    error = explained("fork/exec /bin/sh: exec format error", architecture=OTHER_CPU)

    assert isinstance(error, FailedError)
    assert f"RUN cannot execute programs for {OTHER_CPU} on this machine, which is" in str(error)
    assert "install QEMU (Debian: apt-get install qemu-user-static;" in shown(error)


def test_programs_of_another_cpu_are_the_bases_fault_on_that_cpu() -> None:
    error = explained("#9 exec /bin/sh: Exec format error")

    assert isinstance(error, RefusedError)
    assert f"those of registry/base@sha256:0 are not for {HOST_CPU}" in str(error)
