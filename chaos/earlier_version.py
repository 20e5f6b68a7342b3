"""The earlier version of the function's code: what may run beside this one, or after a rollback.

``earlier_version.zip`` has the package ``rooms`` as it was in a commit, and that commit's id as its
comment. ``make earlier-version`` writes it.
"""

import zipfile
from pathlib import Path
from typing import Final

PATH: Final = Path(__file__).with_suffix(".zip")
"""An archive to put on ``sys.path``: ``rooms.main.handler`` is in it."""


def revision(path: Path = PATH) -> str:
    """Return the commit that the code is of, 40 hexadecimal digits."""
    with zipfile.ZipFile(path) as archive:
        return archive.comment.decode()
