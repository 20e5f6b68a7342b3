"""The state of a shell while it runs, as far as it is certain on Lambda."""

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from imagecheck.budget import Budget
from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind

UNKNOWN: Final = "\0"
"""Stands in a text for a part that is known only on Lambda: no argument can have it in it."""
RUNTIME_API: Final = "127.0.0.1:9001"
"""What AWS_LAMBDA_RUNTIME_API is where the emulator sets it; on Lambda it is always set."""
_SET_BY_LAMBDA: Final = ("AWS_", "_", "LAMBDA_", "LC_")
_SET_SOMEWHERE: Final = {"HOME", "HOSTNAME", "LANG", "LOGNAME", "SHELL", "TZ", "USER"}
_NOT_OF_THE_IMAGE: Final = ("/tmp", "/dev", "/proc", "/sys", "/mnt")  # noqa: S108


@dataclass
class State:
    """The variables, arguments and folder of a shell."""

    files: FileSystem
    read: Callable[[Node], bytes]
    budget: Budget
    variables: dict[str, str]
    exported: set[str]
    arguments: list[str]
    workdir: str
    name: str = "sh"
    """``$0``."""
    shell: Literal["bash", "busybox", "dash", ""] = ""
    """Which one runs the script; empty for one that is not known."""
    program: Node | None = None
    """Its machine code, where that is a known one."""
    is_complete: bool = False
    """Whether all of the function's own variables are known, so that others are not set."""
    machine_name: str = UNKNOWN
    ends_on_error: bool = False
    """``set -e``."""
    has_fallback: bool = False
    """Whether something is run when the present command fails."""
    depth: int = 0
    """How many files are being read."""
    forks: int = 0
    """How many conditions are open of which only Lambda knows whether they hold."""

    def copy(self) -> "State":
        """Return one that changes for itself."""
        return replace(
            self,
            variables=dict(self.variables),
            exported=set(self.exported),
            arguments=list(self.arguments),
        )

    def value(self, name: str) -> str | None:
        """Return a variable's value; None where it is not set, as far as that is known."""
        if name in self.variables:
            return self.variables[name]
        if name == "AWS_LAMBDA_RUNTIME_API":
            return RUNTIME_API
        if name == "PWD":
            return self.workdir
        if name.startswith(_SET_BY_LAMBDA) or name in _SET_SOMEWHERE:
            return UNKNOWN
        return None

    def is_sure(self, name: str) -> bool:
        """Whether it is known that a variable without a value is not set."""
        return self.is_complete or name in self.variables

    def environment(self) -> dict[str, str]:
        """Return what a program gets that is started now."""
        return {name: self.variables[name] for name in self.exported if name in self.variables}

    def find(self, path: str) -> Node | bool | None:
        """Return what is at a path, None for nothing, or False where only Lambda knows."""
        if UNKNOWN in path:
            return False
        path = posixpath.join(self.workdir, path)
        if path != "/dev/null" and any(path.startswith(f"{f}/") for f in _NOT_OF_THE_IMAGE):
            return False
        self.budget.spend(10)
        return self.files.find(path)

    def command(self, name: str) -> str | None:
        """Return the path of a command, None where there is none, or UNKNOWN."""
        if UNKNOWN in name:
            return UNKNOWN
        if "/" in name:
            node = self.find(name)
            if isinstance(node, bool):
                return UNKNOWN
            is_program = node and node.kind is FileKind.FILE and node.is_executable()
            return name if is_program else None
        path = self.variables.get(
            "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        )
        if UNKNOWN in path:
            return UNKNOWN
        for folder in path.split(":"):
            candidate = posixpath.join(self.workdir, folder, name)
            node = self.find(candidate)
            if isinstance(node, Node) and node.kind is FileKind.FILE and node.is_executable():
                return candidate
        return None
