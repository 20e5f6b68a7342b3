"""``python -m release``: the gates of a release, and what to do when something breaks."""

import sys

from release.cli import main

if __name__ == "__main__":
    sys.exit(main())
