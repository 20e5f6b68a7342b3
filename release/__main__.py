"""``python -m release``: the gates of a release, and what to do when something breaks."""

import sys

if __name__ == "__main__":
    try:
        from release.cli import main
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; nothing was changed\n")
        sys.exit(2)
    sys.exit(main())
