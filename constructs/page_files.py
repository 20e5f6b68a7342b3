"""The files of the page, in the layout in which they are served.

Scripts, styles and pictures are in a folder named by their hash, so that browsers may cache them
forever. The folders of earlier deployments stay, for pages that are still open. Only
``index.html`` names that folder: the files refer to each other by relative paths.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aws_cdk import aws_s3_deployment as s3_deployment
from constructs.local_bundling import LocalBundling, bundling_options, hash_of

from imagecheck.errors import FailedError

_ROOT: Final = Path(__file__).parent.parent
_ASSETS: Final = _ROOT / "frontend" / "assets"
_INDEX: Final = _ROOT / "frontend" / "index.html"
_QR_LIBRARY: Final = _ROOT / "node_modules" / "lean-qr" / "nano.mjs"
_SUFFIXES: Final = frozenset({".css", ".js", ".svg"})


class PageFilesError(FailedError):
    """A file of the page is missing."""


class PageFiles:
    """The page in two parts: the assets, which never change, and ``index.html``, which names them.

    Raises PageFilesError when the QR library was not installed.
    """

    def __init__(self) -> None:
        self._files = _asset_files()
        named = [
            part
            for name, path in self._files.items()
            for part in (name.encode(), path.read_bytes())
        ]
        self._folder = f"assets/{hash_of(*named)[:16]}"
        html = _INDEX.read_text(encoding="utf-8")
        self._index = html.replace('"assets/', f'"{self._folder}/')

    def assets(self) -> s3_deployment.ISource:
        """Return ``assets/<hash>/…``."""

        def fill(folder: Path) -> None:
            for name, path in self._files.items():
                target = folder / self._folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)

        return _source(fill, self._folder)

    def index(self) -> s3_deployment.ISource:
        """Return ``index.html``."""

        def fill(folder: Path) -> None:
            (folder / _INDEX.name).write_text(self._index, encoding="utf-8")

        return _source(fill, self._index)


def _asset_files() -> dict[str, Path]:
    """Return the files by their path below the folder, sorted."""
    if not _QR_LIBRARY.exists():
        raise PageFilesError(
            f"{_QR_LIBRARY.relative_to(_ROOT)} is missing, which draws the page's QR codes",
            hint="npm ci",
        )
    files = {
        path.relative_to(_ASSETS).as_posix(): path
        for path in _ASSETS.rglob("*")
        if path.suffix in _SUFFIXES
    }
    return dict(sorted({**files, "lean-qr.mjs": _QR_LIBRARY}.items()))


def _source(fill: Callable[[Path], None], made_of: str) -> s3_deployment.ISource:
    return s3_deployment.Source.asset(
        str(_INDEX.parent),
        asset_hash=hash_of(made_of.encode()),
        bundling=bundling_options(LocalBundling(fill)),
    )
