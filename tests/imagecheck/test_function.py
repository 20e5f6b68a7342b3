"""The command that image and function add up to."""

import pytest

from imagecheck.function import Function, effective_start, split_variable
from imagecheck.image.manifest import RuntimeConfig

IMAGE = RuntimeConfig(
    entrypoint=["/run"], cmd=["app.handler"], working_dir="/var/task", env=["A=1", "B=x=y", "C"]
)


def test_the_image_alone() -> None:
    start = effective_start(IMAGE, Function("arm64"))

    assert start.argv == ("/run", "app.handler")
    assert start.workdir == "/var/task"
    assert start.environment == {"A": "1", "B": "x=y", "C": ""}


def test_each_override_counts_by_itself() -> None:
    """Docker drops CMD with another ENTRYPOINT; Lambda does not."""
    assert effective_start(IMAGE, Function("arm64", entrypoint=("/other",))).argv == (
        "/other", "app.handler",
    )  # fmt: skip
    assert effective_start(IMAGE, Function("arm64", command=("a", "b"))).argv == ("/run", "a", "b")
    assert effective_start(IMAGE, Function("arm64", workdir="/tmp")).workdir == "/tmp"
    start = effective_start(IMAGE, Function("arm64", environment={"A": "2", "D": ""}))
    assert start.environment == {"A": "2", "B": "x=y", "C": "", "D": ""}


def test_an_empty_override_is_none() -> None:
    start = effective_start(IMAGE, Function("arm64", entrypoint=(), command=(), workdir=""))

    assert start == effective_start(IMAGE, Function("arm64"))


@pytest.mark.parametrize("image", [None, RuntimeConfig()])
def test_an_image_that_says_nothing(image: RuntimeConfig | None) -> None:
    start = effective_start(image, Function("arm64"))

    assert (start.argv, start.workdir, start.environment) == ((), "", {})


def test_the_two_cpus_and_their_names() -> None:
    arm, x86 = Function("arm64"), Function("x86_64")

    assert (arm.machine, arm.image_architecture) == (183, "arm64")
    assert (x86.machine, x86.image_architecture) == (62, "amd64")


def test_a_variable() -> None:
    assert split_variable("A=b=c") == ("A", "b=c")
    assert split_variable("A") == ("A", "")
