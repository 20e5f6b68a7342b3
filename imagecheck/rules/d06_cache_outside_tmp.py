"""Caches outside of /tmp."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image.layer import FileKind
from imagecheck.rule import RUN, Problem, Rule
from imagecheck.start.home_folder import makers_of_home_folders

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_CACHES = (
    "HF_HOME", "HOME", "MPLCONFIGDIR", "NLTK_DATA", "NPM_CONFIG_CACHE", "NUMBA_CACHE_DIR", "TMPDIR",
    "TORCH_HOME", "TRANSFORMERS_CACHE", "XDG_CACHE_HOME",
)  # fmt: skip
_WRITABLE = ("/tmp/", "/mnt/")  # noqa: S108


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at the variables that name caches, and at modules that make folders at home."""
    environment = subject.start.environment
    for name in _CACHES:
        folder = environment.get(name, "")
        if not folder.startswith("/") or f"{folder}/".startswith(_WRITABLE):
            continue
        if name != "TMPDIR" and _is_filled(subject, folder):
            continue
        yield Problem(
            f"{name}={folder}: writing there fails, because only /tmp is writable",
            f"ENV {name}=/tmp",
        )
    if not environment.get("HOME"):
        for path in makers_of_home_folders(subject):
            yield Problem(
                f"{path} makes a folder below the home folder when it is imported, and"
                " /home/sbx_user1051 is neither there nor can be made",
                "ENV HOME=/tmp, or the library's own variable for the folder",
            )


def _is_filled(subject: "Subject", folder: str) -> bool:
    files = subject.files
    return bool(files and any(node.kind is FileKind.FILE for node in files.below(folder)))


RULE = Rule(
    id="D6",
    title="Caches outside of /tmp",
    severity="warning",
    error_type="OSError: Read-only file system",
    when=RUN,
    why=(
        "All of the file system but /tmp is read-only, and the home folder /home/sbx_user1051"
        " does not exist. Libraries that keep models or settings in a cache fail the first time"
        " that they write to it. A folder that the image fills is assumed to be only read."
    ),
    fix=(
        "Set HOME, or the variable of the library, to a folder below /tmp; or fill the cache"
        " while the image is built."
    ),
    source="https://github.com/huggingface/sentence-transformers/issues/923",
    bad="""\
ENV HF_HOME=/var/cache/models
""",
    good="""\
ENV HF_HOME=/tmp/models
""",
    check=check,
)
