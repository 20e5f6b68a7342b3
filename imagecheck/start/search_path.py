"""The search of PATH for a program whose name has no slash.

Lambda's supervisor is written in Go, and starts the entrypoint by ``exec.Command``, which looks a
name without a slash up on PATH:
https://github.com/aws/aws-lambda-runtime-interface-emulator/blob/main/internal/lambda/supervisor/local_supervisor.go.
"""

import posixpath
import re
from collections.abc import Mapping
from typing import Final

from imagecheck.image.filesystem import FileSystem
from imagecheck.image.layer import FileKind

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What container engines give to an image that sets no PATH: the emulator finds it so.

What Lambda has then is documented nowhere.
"""


_HANDLER: Final = re.compile(r"[\w/-]+(?:\.[\w/-]+)+")
_SCRIPTS: Final = (".bash", ".bin", ".exe", ".jar", ".js", ".mjs", ".pl", ".py", ".rb", ".sh")


def looks_like_handler(name: str) -> bool:
    """Whether a name is rather a handler's, such as ``app.handler``, than a program's."""
    is_path = name.startswith("/") or name.endswith(_SCRIPTS)
    return not is_path and bool(_HANDLER.fullmatch(name))


def search_folders(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the folders that are looked through for a program, in their order.

    Relative and empty entries are left out: Go starts nothing that it finds there
    (https://pkg.go.dev/os/exec#hdr-Executables_in_the_current_directory).
    """
    path = environment.get("PATH") or DEFAULT_PATH
    return tuple(dict.fromkeys(folder for folder in path.split(":") if folder.startswith("/")))


def on_path(files: FileSystem, name: str, folders: tuple[str, ...]) -> str | None:
    """Return the path of the first file of that name that one who owns nothing may execute."""
    for folder in folders:
        path = posixpath.join(folder, name)
        node = files.find(path)
        if node and node.kind is FileKind.FILE and node.is_executable():
            return path
    return None
