"""A package index behind TLS, as a company has one. It has one package, ``example``."""

import base64
import datetime
import functools
import hashlib
import http.server
import io
import ipaddress
import ssl
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class PackageIndex:
    """Where it is, its files as a folder, its certificate, and the hash of the one file."""

    url: str
    files: Path
    certificate: Path
    digest: str


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running_index(folder: Path) -> Iterator[PackageIndex]:
    """Serve it from an empty folder. No machine trusts its certificate by itself."""
    name = "example-1-py3-none-any.whl"
    content = _wheel()
    for path, text in (
        (f"files/{name}", content),
        ("simple/example/index.html", f'<a href="/files/{name}">{name}</a>'.encode()),
    ):
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_bytes(text)
    certificate, key = _certificate(folder)
    handler = functools.partial(_Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield PackageIndex(
            f"https://127.0.0.1:{server.server_port}/simple",
            folder / "files",
            certificate,
            hashlib.sha256(content).hexdigest(),
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _wheel() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        about = "example-1.dist-info"
        wheel.writestr("example.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: example\nVersion: 1\n")
        wheel.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        names = ["example.py", f"{about}/METADATA", f"{about}/WHEEL"]
        lines = [f"{name},sha256={_digest(wheel.read(name))}," for name in names]
        wheel.writestr(f"{about}/RECORD", "\n".join([*lines, f"{about}/RECORD,,\n"]))
    return buffer.getvalue()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make one that is no authority's: uv takes that of an authority from no server."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a company")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = folder / "key.pem"
    private.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate = folder / "certificate.pem"
    certificate.write_bytes(made.public_bytes(pem))
    return certificate, private
