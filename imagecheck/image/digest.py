"""The grammar of an image digest.

https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests: of its algorithms
ECR knows sha256 only, and so does this project. Every ``cdk synth`` imports this, so it imports the
standard library only.
"""

import re
from typing import Final

DIGEST: Final = r"sha256:[0-9a-f]{64}"
"""A regular expression, to be part of others."""
WHOLE_DIGEST: Final = rf"^{DIGEST}\Z"
"""The same for ``msgspec.Meta(pattern=...)``, which searches; ``$`` would allow a line break."""
_DIGEST: Final = re.compile(DIGEST)


def is_digest(text: str) -> bool:
    """Whether it is ``sha256:`` and 64 lower-case hexadecimal digits."""
    return _DIGEST.fullmatch(text) is not None


def find_digest(text: str) -> str | None:
    """Return the first digest in a text."""
    match = _DIGEST.search(text)
    return match[0] if match else None
