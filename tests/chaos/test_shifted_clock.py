"""A process's clock is another than the machine's, and steps while it runs."""

import os
import subprocess
import sys
from pathlib import Path

from chaos import earlier_version

FOLDER = earlier_version.PATH.parent / "shifted_clock"
PROGRAM = """
import os, sys, time
before = time.time_ns()
with open(os.environ["CHAOS_CLOCK"], "w") as file:
    file.write("-300".rjust(16))
print(round((before - time.time_ns()) / 1e9), round(before / 1e9 - time.time()))
"""


def test_it_steps_back_from_five_minutes_ahead(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("300".rjust(16))
    environment = {**os.environ, "CHAOS_CLOCK": str(clock), "PYTHONPATH": str(FOLDER)}

    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
    )

    assert ran.stdout == "600 600\n"
