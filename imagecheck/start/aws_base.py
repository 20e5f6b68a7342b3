"""The programs of AWS's base images for Lambda.

Their entrypoint takes one argument, the handler's name, and ends with status 142 for any other
number; it gives the name to the bootstrap in the variable _HANDLER.
"""

from typing import Final, Literal

from imagecheck.image.filesystem import FileSystem

AWS_ENTRYPOINT: Final = "/lambda-entrypoint.sh"
"""What AWS's base images start; it takes the handler's name and runs ``AWS_BOOTSTRAP``."""
AWS_BOOTSTRAP: Final = "/var/runtime/bootstrap"
WRONG_ARGUMENTS: Final = 142
"""What the entrypoint ends with for any other number of arguments than one."""

Language = Literal["python", "node", "ruby", "java", "dotnet"]
_PROGRAMS: Final[dict[str, Language]] = {
    "dotnet": "dotnet",
    "java": "java",
    "node": "node",
    "ruby": "ruby",
}


def language_of_base(files: FileSystem) -> Language | None:
    """Return the language of AWS's base image; None where it has none."""
    folder = files.find("/var/lang/bin")
    for name in folder.children if folder else ():
        if name.startswith("python3"):
            return "python"
        if name in _PROGRAMS:
            return _PROGRAMS[name]
    return None
