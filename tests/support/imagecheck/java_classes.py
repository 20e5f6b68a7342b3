"""Classes of Java, assembled by hand: no compiler is among what the tests install.

The format is https://docs.oracle.com/javase/specs/jvms/se21/html/jvms-4.html.
"""

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Final

JAVA_17: Final = 61
"""The version of class files that Java 17 writes, and each later Java reads."""

_PUBLIC_STATIC: Final = 0x0009
_PUBLIC_SUPER: Final = 0x0021
_VIRTUAL, _SPECIAL, _STATIC = b"\xb6", b"\xb7", b"\xb8"


class _Constants:
    """The pool of constants of a class."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def utf8(self, text: str) -> int:
        content = text.encode()
        return self._number(b"\x01" + struct.pack(">H", len(content)) + content)

    def text(self, text: str) -> int:
        return self._number(b"\x08" + struct.pack(">H", self.utf8(text)))

    def type(self, name: str) -> int:
        return self._number(b"\x07" + struct.pack(">H", self.utf8(name)))

    def method(self, owner: str, name: str, descriptor: str) -> int:
        pair = struct.pack(">HH", self.utf8(name), self.utf8(descriptor))
        named = self._number(b"\x0c" + pair)
        return self._number(b"\x0a" + struct.pack(">HH", self.type(owner), named))

    def pool(self) -> bytes:
        return struct.pack(">H", len(self._numbers) + 1) + b"".join(self._numbers)

    def _number(self, content: bytes) -> int:
        return self._numbers.setdefault(content, len(self._numbers) + 1)


def main_class(name: str, version: int = JAVA_17) -> bytes:
    """Return a class, by its name with slashes, whose main asks the Runtime API for an event."""
    constants = _Constants()
    url, text = "java/net/URL", "Ljava/lang/String;"
    joined = _call(_VIRTUAL, constants, "java/lang/String", "concat", f"({text}){text}")
    code = [
        b"\xbb" + struct.pack(">H", constants.type(url)) + b"\x59",  # new, dup
        _text(constants, "http://"),
        _text(constants, "AWS_LAMBDA_RUNTIME_API"),
        _call(_STATIC, constants, "java/lang/System", "getenv", f"({text}){text}"),
        joined,
        _text(constants, "/2018-06-01/runtime/invocation/next"),
        joined,
        _call(_SPECIAL, constants, url, "<init>", f"({text})V"),
        _call(_VIRTUAL, constants, url, "openStream", "()Ljava/io/InputStream;"),
        b"\x57\xb1",  # pop, return
    ]
    return _class(
        constants,
        name,
        version=version,
        method="main",
        descriptor=f"([{text})V",
        code=b"".join(code),
    )


def agent_class(name: str) -> bytes:
    """Return a class, by its name with slashes, whose premain does nothing."""
    return _class(
        _Constants(),
        name,
        version=JAVA_17,
        method="premain",
        descriptor="(Ljava/lang/String;)V",
        code=b"\xb1",  # return
    )


def _class(
    constants: _Constants, name: str, *, version: int, method: str, descriptor: str, code: bytes
) -> bytes:
    """Return a class with one method, which has at most four values on its stack."""
    this, parent = constants.type(name), constants.type("java/lang/Object")
    attribute = struct.pack(">HHI", 4, 1, len(code)) + code + struct.pack(">HH", 0, 0)
    numbers = (_PUBLIC_STATIC, constants.utf8(method), constants.utf8(descriptor), 1)
    methods = struct.pack(">HHHHHHI", 1, *numbers, constants.utf8("Code"), len(attribute))
    head = struct.pack(">IHH", 0xCAFEBABE, 0, version)
    of_class = struct.pack(">HHHHH", _PUBLIC_SUPER, this, parent, 0, 0)
    return head + constants.pool() + of_class + methods + attribute + struct.pack(">H", 0)


def jar_of(files: Mapping[str, bytes], **manifest: str) -> bytes:
    """Return a jar of some files; of the manifest's names ``_`` becomes ``-``.

    Its manifest goes on with a section that is not of the whole jar.
    """
    content = io.BytesIO()
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in manifest.items()]
    with zipfile.ZipFile(content, "w") as archive:
        text = "".join(["Manifest-Version: 1.0\r\n", *lines, "\r\nName: other\r\n\r\n"])
        archive.writestr("META-INF/MANIFEST.MF", text)
        for name, file in files.items():
            archive.writestr(name, file)
    return content.getvalue()


def _text(constants: _Constants, text: str) -> bytes:
    return b"\x13" + struct.pack(">H", constants.text(text))  # ldc_w


def _call(operation: bytes, constants: _Constants, owner: str, name: str, descriptor: str) -> bytes:
    return operation + struct.pack(">H", constants.method(owner, name, descriptor))
