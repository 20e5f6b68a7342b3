"""The image lock: the file with the image that each stage runs.

A JSON object from stage to ``ImagePin``, committed next to the code that images are built from.
"""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from config.file_lock import waiting_for_lock
from config.json_file import DamagedFileError, MergeConflictError, parse_json, read_json_file
from config.settings import ConfigurationError
from config.whole_file import write_whole
from imagecheck.errors import CommandError, FailedError
from imagecheck.function import Architecture
from imagecheck.image.digest import WHOLE_DIGEST

AS_COMMITTED: Final = "git checkout {name} (this takes other pins back, too, that are in no commit)"
"""The hint where the lock file keeps what it should not."""


class ImagePin(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """An image and its origin.

    ``digest`` is the image's (``constructs.image_digest`` checks it), ``base_digest`` that of the
    base in its Dockerfile, ``source_revision`` the commit that it was built from, and ``pinned_at``
    the time, in ISO 8601 and UTC, at which it was pinned for its stage. A rollback keeps that time,
    so that the times give the order of the releases.
    """

    digest: str
    architecture: Architecture
    base_digest: Annotated[str, Meta(pattern=WHOLE_DIGEST)]
    source_revision: str
    pinned_at: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


def read_image_lock(path: Path) -> dict[str, ImagePin]:
    """Return the pin of every stage that has one.

    Raises:
        ConfigurationError: the file is missing or invalid.

    """
    try:
        return read_json_file(path, dict[str, ImagePin])
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{path} is missing", hint=f"a lock file without pins: echo '{{}}' > {path}"
        ) from error
    except MergeConflictError as error:
        raise ConfigurationError(
            f"{path}: {error}",
            hint="keep one entry for each stage, as it is pinned now, and remove the marks:"
            f" git add {path.name}",
        ) from error
    except DamagedFileError as error:
        raise ConfigurationError(
            f"{path}: {error}", hint=f"as the last commit has it: git checkout HEAD -- {path.name}"
        ) from error


def pins_of(content: bytes) -> dict[str, ImagePin]:
    """Return the pins in the content of a lock file. Raises DamagedFileError."""
    return parse_json(content, dict[str, ImagePin])


def require_own_file(path: Path) -> None:
    """Require that the lock file is no symlink: git would keep its target's name, not the pins.

    Raises ConfigurationError.
    """
    if path.is_symlink():
        target = shlex.quote(str(path.resolve()))
        raise ConfigurationError(
            f"{path} is a symlink, of which git keeps the name of its target and not the pins; it"
            " is unchanged",
            hint=f"rm {path.name} && cp {target} {path.name}",
        )


def write_pin(path: Path, stage: str, pin: ImagePin) -> None:
    """Pin an image for a stage, and keep the pins of other stages, whoever writes them meanwhile.

    Raises ConfigurationError when the file cannot be read, and FailedError when it cannot be
    written; it is unchanged then.
    """
    require_own_file(path)
    with _changing(path):
        pins = read_image_lock(path)
        try:
            write_image_lock(path, {**pins, stage: pin})
        except OSError as error:
            raise FailedError(
                f"{path} cannot be written: {error.strerror or error}; it is unchanged"
            ) from error


def take_back_pin(path: Path, stage: str, pin: ImagePin, as_it_was: bytes) -> bool:
    """Give a stage back what it had in ``as_it_was``, and leave the pins of other stages alone.

    False: the stage has another pin than ``pin`` by now, which is somebody else's, and stays. Where
    nothing else has changed, the file is as it was, byte for byte.

    Raises ConfigurationError when the file cannot be read, and OSError when it cannot be written;
    it is unchanged then.
    """
    with _changing(path):
        pins = read_image_lock(path)
        before = pins_of(as_it_was)
        if pins.get(stage) != pin or before.get(stage) == pin:
            return before.get(stage) == pins.get(stage)
        kept = {name: one for name, one in pins.items() if name != stage}
        if stage in before:
            # In its old place, or the file would differ by nothing but the order.
            kept = {name: before[name] if name == stage else pins[name] for name in pins}
        _write(path, as_it_was if kept == before else _content(kept))
    return True


def write_image_lock(path: Path, pins: Mapping[str, ImagePin]) -> None:
    """Replace the pins of all stages. Raises OSError; the file is unchanged then."""
    _write(path, _content(pins))


def reason_of(error: CommandError | OSError) -> str:
    """Return why the lock file could not be changed."""
    return error.message if isinstance(error, CommandError) else error.strerror or str(error)


def _content(pins: Mapping[str, ImagePin]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(pins), indent=2) + b"\n"


def _write(path: Path, content: bytes) -> None:
    write_whole(path, content, scratch=_scratch(path))


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Keep others from changing the file between its being read and written."""
    lock = _scratch(path) / f"{path.name}.lock"
    with waiting_for_lock(lock, f"another release command that changes {path.name}"):
        yield


def _scratch(path: Path) -> Path:
    """Return a folder for what is not to be committed: that of builds, which git ignores."""
    root = next((one for one in path.absolute().parents if (one / "cdk.json").is_file()), None)
    return root / "build" if root else path.absolute().parent
