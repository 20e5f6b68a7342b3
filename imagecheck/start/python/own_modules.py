"""The function's own modules, told from those of packages that are installed."""

import posixpath

from imagecheck.image.filesystem import FileSystem
from imagecheck.start.python.modules import Module, PythonModules

_INSTALLED = ("/site-packages/", "/dist-packages/")
_AWS = ("/opt/python/", "/var/runtime/", "/var/lang/")


class OwnModules:
    """Tells the function's own modules by where they lie.

    ``own_top`` is a top-level name that is the function's, whatever is installed beside it.
    """

    def __init__(self, files: FileSystem, modules: PythonModules, own_top: str) -> None:
        self._files = files
        self._modules = modules
        self._own_top = own_top
        self._with_packages: dict[str, bool] = {}

    def has(self, module: Module) -> bool:
        """Whether a module is of the function."""
        if any(mark in module.path for mark in _INSTALLED) or module.path.startswith(_AWS):
            return False
        top = module.name.partition(".")[0]
        if top == self._own_top or (not module.is_package and "." not in module.name):
            return True
        root = self._modules.find(top)
        folder = (
            posixpath.dirname(root.folders[0]) if isinstance(root, Module) and root.folders else ""
        )
        return not self._has_packages(folder)

    def _has_packages(self, folder: str) -> bool:
        """Whether packages are installed in a folder, as ``pip install --target`` does."""
        if folder not in self._with_packages:
            node = self._files.find(folder) if folder else None
            self._with_packages[folder] = bool(node) and any(
                name.endswith((".dist-info", ".egg-info"))
                for name in (node.children if node else ())
            )
        return self._with_packages[folder]
