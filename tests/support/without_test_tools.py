"""Python as `make setup` leaves it: what only the tests install cannot be imported."""

import os
import re
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

from tests.support.cdk_context import ROOT

_HOOK: Final = """\
import sys


class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name in {refused}:
            raise ModuleNotFoundError(f"`make setup` does not install {{name}}", name=name)


sys.meta_path.insert(0, Refusing())
"""


def refusing(folder: Path) -> dict[str, str]:
    """Return the environment of such a Python, and of those that it starts.

    The folder is for the file that does it, which Python runs when it starts.
    """
    (folder / "sitecustomize.py").write_text(_HOOK.format(refused=sorted(REFUSED)))
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}


def _refused() -> frozenset[str]:
    text = (ROOT / "requirements-run.txt").read_text(encoding="utf-8")
    running = set(re.findall(r"^([\w.-]+)(?:\[.*\])?==", text, re.MULTILINE))
    # They are in every new environment of an older Python.
    running |= {"pip", "setuptools"}
    return frozenset(
        module
        for module, distributions in packages_distributions().items()
        if not {_name(each) for each in distributions} & running
    )


def _name(distribution: str) -> str:
    """Return the name as lock files have it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


REFUSED: Final = _refused()
"""The top-level modules of all that is installed, but for what running needs."""
