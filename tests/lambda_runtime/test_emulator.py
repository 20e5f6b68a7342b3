"""What binfmt_misc has for a CPU, read from entries as kernels print them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from lambda_runtime.emulator import Emulator, emulator_of
from tests.support.imagecheck.programs import AARCH64, X86_64

# As the kernel printed them after qemu-user-static of Debian 12 and tonistiigi/binfmt.
ARM64 = """enabled
interpreter /usr/bin/qemu-aarch64-static
flags: OCF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
"""
X86 = """enabled
interpreter /usr/bin/qemu-x86_64
flags: POCF
offset 0
magic 7f454c4602010100000000000000000002003e00
mask fffffffffffefe00fffffffffffffffffeffffff
"""
ARM32 = """enabled
interpreter /usr/bin/qemu-arm-static
flags: OCF
offset 0
magic 7f454c4601010100000000000000000002002800
mask ffffffffffffff00fffffffffffffffffeffffff
"""
WSL = """enabled
interpreter /init
flags: PF
offset 0
magic 4d5a
"""
PYTHON = "enabled\ninterpreter /usr/bin/python3.11\nflags: \nextension .pyc\n"
# The CPU's number alone: it starts at e_machine, and has no mask.
SHORT = "enabled\ninterpreter /qemu\nflags: F\noffset 18\nmagic b700\n"
NOT_FIXED = ARM64.replace("OCF", "OC").replace("-static", "")
QEMU = Emulator("/usr/bin/qemu-aarch64-static", is_fixed=True)


def folder(path: Path, entries: Mapping[str, str], status: str = "enabled\n") -> Path:
    for name, text in {**entries, "status": status}.items():
        (path / name).write_text(text)
    # The kernel's can only be written.
    (path / "register").write_bytes(b"\xff")
    return path


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ({"qemu-aarch64": ARM64}, QEMU),
        ({"WSLInterop": WSL, "python3.11": PYTHON, "qemu-arm": ARM32, "qemu-aarch64": ARM64}, QEMU),
        ({"any": SHORT}, Emulator("/qemu", is_fixed=True)),
        ({"qemu-aarch64": NOT_FIXED}, Emulator("/usr/bin/qemu-aarch64", is_fixed=False)),
        ({"a": NOT_FIXED, "b": ARM64}, QEMU),
        ({"qemu-aarch64": ARM64.replace("enabled", "disabled")}, None),
        ({"qemu-arm": ARM32, "qemu-x86_64": X86, "WSLInterop": WSL, "python3.11": PYTHON}, None),
        # Only programs at a fixed address, or beyond what the kernel reads of a file.
        ({"a": ARM64.replace("feffffff\n", "ffffffff\n")}, None),
        ({"a": SHORT.replace("offset 18", "offset 300")}, None),
        ({}, None),
    ],
)
def test_what_starts_arm64(
    tmp_path: Path, entries: Mapping[str, str], found: Emulator | None
) -> None:
    assert emulator_of(AARCH64, folder(tmp_path, entries)) == found


def test_what_starts_x86_64(tmp_path: Path) -> None:
    entries = folder(tmp_path, {"qemu-aarch64": ARM64, "qemu-x86_64": X86})

    assert emulator_of(X86_64, entries) == Emulator("/usr/bin/qemu-x86_64", is_fixed=True)


def test_nothing_where_it_is_switched_off_or_not_mounted(tmp_path: Path) -> None:
    assert emulator_of(AARCH64, folder(tmp_path, {"q": ARM64}, "disabled\n")) is None
    assert emulator_of(AARCH64, tmp_path / "nowhere") is None
    (tmp_path / "empty").mkdir()
    assert emulator_of(AARCH64, tmp_path / "empty") is None
