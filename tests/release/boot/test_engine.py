"""Where an image of another CPU than this machine's is started, and when it is not."""

import sys

import pytest

from imagecheck.errors import FailedError
from lambda_runtime.emulator import Emulator
from release.boot.engine import OF_DOCKER, can_emulate, emulator_for
from tests.release.boot.conftest import CPUS
from tests.support.imagecheck.programs import HOST, OTHER

FIXED = Emulator("/qemu", is_fixed=True)
NOT_FIXED = Emulator("/qemu", is_fixed=False)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr("release.boot.engine.emulator_of", lambda _machine: request.param)


@pytest.mark.parametrize("registered", [FIXED], indirect=True)
@pytest.mark.usefixtures("registered")
def test_only_another_cpu_is_emulated() -> None:
    assert emulator_for(CPUS[HOST], "sandbox", "dev") == ""
    assert emulator_for(CPUS[OTHER], "sandbox", "dev") == "/qemu"


@pytest.mark.parametrize("registered", [None], indirect=True)
@pytest.mark.usefixtures("registered")
def test_what_docker_has_in_a_virtual_machine_only_docker_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(FailedError, match="it has no emulator of"):
        emulator_for(CPUS[OTHER], "docker", "dev")

    monkeypatch.setattr(sys, "platform", "darwin")

    assert emulator_for(CPUS[OTHER], "docker", "dev") == OF_DOCKER


@pytest.mark.parametrize(
    ("registered", "can"),
    [(FIXED, True), (NOT_FIXED, False), (None, False)],
    indirect=["registered"],
)
@pytest.mark.usefixtures("registered")
def test_whether_images_run_emulated_here(can: bool) -> None:
    assert can_emulate(CPUS[OTHER]) is can
