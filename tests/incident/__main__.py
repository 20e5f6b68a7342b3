"""``python -m tests.incident``: play the incident again, for a person to watch."""

import shutil
import sys
import textwrap
from typing import Final

from tests.cdk_context import ROOT
from tests.incident.story import Story, StoryError
from tests.incident.world import world

FOLDER: Final = ROOT / ".local" / "incident"


def main() -> int:
    """Play it. Exit status 0: everything happened as it has to; 1: it did not."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    log = FOLDER / "commands.log"
    try:
        with world(FOLDER, log) as here:
            Story(here, _tell).play()
    except StoryError as error:
        print(f"\nThis is not how it has to be: {error}\nAll output is in {log}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nEnded.")
        return 1
    return 0


def _tell(text: str) -> None:
    width = shutil.get_terminal_size().columns
    for line in text.split("\n"):
        indent = " " * (len(line) - len(line.lstrip()))
        filled = textwrap.fill(
            line, width, subsequent_indent=f"{indent}    ", break_on_hyphens=False
        )
        print(filled, flush=True)


if __name__ == "__main__":
    sys.exit(main())
