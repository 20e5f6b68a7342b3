"""``python -m imagecheck`` is ``lambda-image-check``."""

import sys


def run() -> int:
    """Run the command line: an interruption is one line, even while it is imported."""
    try:
        from imagecheck.cli import main
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        return 2
    return main()


if __name__ == "__main__":
    sys.exit(run())
