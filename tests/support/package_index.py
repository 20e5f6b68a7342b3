"""A package index behind TLS, as a company has one. It has one package, ``example``."""

import datetime
import functools
import hashlib
import http.server
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.wheels import wheel


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
    content = wheel("example", {"example.py": ""})
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
