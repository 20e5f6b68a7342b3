"""``python -m demo.incident``: replay the incident for a person to watch."""

import shutil
import sys
import textwrap
from typing import Final

from demo.incident.story import Story, StoryError
from demo.incident.world import incident_world
from tests.support.cdk_context import ROOT

FOLDER: Final = ROOT / ".local" / "incident"


def main() -> int:
    """Run the story. Exit status 0: every step went as expected; 1: one did not."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    log = FOLDER / "commands.log"
    try:
        with incident_world(FOLDER, log) as world:
            Story(world, _tell).run()
    except StoryError as error:
        print(f"\nerror: {error}\nhint: all output is in {log}", file=sys.stderr)
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
