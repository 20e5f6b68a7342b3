"""Makes Python packages."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping


def wheel(name: str, files: Mapping[str, str], *, needs: str = "") -> bytes:
    """Return version 1 of a package with these files, which may need another package."""
    about = f"{name}-1.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
    content = {
        **files,
        f"{about}/METADATA": metadata + (f"Requires-Dist: {needs}\n" if needs else ""),
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{path},sha256={_digest(text.encode())}," for path, text in content.items()]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in content.items():
            archive.writestr(path, text)
        archive.writestr(f"{about}/RECORD", "\n".join([*lines, f"{about}/RECORD,,\n"]))
    return buffer.getvalue()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
