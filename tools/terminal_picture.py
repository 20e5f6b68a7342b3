"""``python -m tools.terminal_picture``: the README's picture of a check, of a real run.

The image is a generated one, for another CPU than the function. The program runs on a terminal, so
the colours are its own.
"""

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from tests.support.cdk_context import ROOT
from tests.support.imagecheck.example import COMMAND, HANDLER, PACKAGE, write_archive
from tests.support.imagecheck.programs import AARCH64

PATH: Final = ROOT / "docs/pictures/check.svg"
_COLUMNS: Final = 100
_FONTS: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"


def picture() -> str:
    """Return the SVG."""
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), color_system="standard")
    console.print(Text.assemble(("$ ", "green"), (COMMAND, "bold")))
    console.print(Text.from_ansi(_output().rstrip("\n")))
    svg = console.export_svg(title="", theme=SVG_EXPORT_THEME, unique_id="check")
    # rich asks a server for its font; the machine's own will do.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", _FONTS)
    return "\n".join(line.rstrip() for line in svg.splitlines()).strip() + "\n"


def _output() -> str:
    """Run the command on a terminal, and return what it writes there, colours and all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_archive(folder, "image", AARCH64, HANDLER, *PACKAGE)
        environment = {
            **os.environ,
            "COLUMNS": str(_COLUMNS),
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
            "TERM": "xterm",
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        environment.pop("NO_COLOR", None)
        ours, theirs = pty.openpty()
        arguments = [sys.executable, "-m", "imagecheck", *COMMAND.split()[1:]]
        with subprocess.Popen(
            arguments, cwd=folder, env=environment, stdout=theirs, stderr=subprocess.DEVNULL
        ):
            os.close(theirs)
            written = _read(ours)
    return written.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    pieces = []
    # A terminal whose other end was closed is an error, not an end.
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(terminal)
    return b"".join(pieces)


if __name__ == "__main__":
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(picture(), encoding="utf-8")
