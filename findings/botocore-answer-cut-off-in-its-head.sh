#!/usr/bin/env bash
# botocore 1.44.5 (PyPI), a client of DynamoDB, with Python's http.client below it.
#
# Expected: an answer whose connection ends inside its head is incomplete (RFC 9112, section 8), and an
#   error that is tried again; over TLS all the more, since the end comes without close_notify.
# Seen: it is a success, at the first attempt. GetItem returns no Item, which means that there is none.
#   DynamoDB's checksum, x-amz-crc32, was cut off too, and botocore does not miss it.
# Why it matters: what exists seems deleted. lambda_src/rooms/answer.py asks for checksum and length.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.44.5 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -keyout "$folder/key" \
  -addext subjectAltName=IP:127.0.0.1 -out "$folder/certificate" 2>/dev/null
cd "$folder"
venv/bin/python - <<'P'
import socket
import ssl
import sys
import threading
import zlib

import botocore.session

BODY = b'{"Item":{"id":{"S":"1"}}}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nx-amz-crc32: %d\r\n\r\n%s" % (
    len(BODY), zlib.crc32(BODY), BODY)  # fmt: skip


def asked(scheme, answer):
    """What GetItem returns when each of its requests is answered so."""
    listener = socket.create_server(("127.0.0.1", 0))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain("certificate", "key")
    attempts = 0

    def serve():
        nonlocal attempts
        while True:
            connection, _ = listener.accept()
            if scheme == "https":
                connection = tls.wrap_socket(connection, server_side=True)
            attempts += 1
            received = b""
            while b"TableName" not in received:
                received += connection.recv(65536)
            connection.sendall(answer)
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    client = botocore.session.get_session().create_client(
        "dynamodb", region_name="us-east-1", verify="certificate",
        endpoint_url=f"{scheme}://127.0.0.1:{listener.getsockname()[1]}",
        aws_access_key_id="test", aws_secret_access_key="test")  # fmt: skip
    found = client.get_item(TableName="t", Key={"id": {"S": "1"}})
    return found.get("Item"), found["ResponseMetadata"]["HTTPStatusCode"], attempts


seen = []
for scheme in ("http", "https"):
    for length in (len(WHOLE), 17, 30):
        seen.append(asked(scheme, WHOLE[:length]))
        print(f"{scheme:5} {WHOLE[:length][:30]!r:42} item, status, attempts:", *seen[-1])
item = {"id": {"S": "1"}}
sys.exit(seen != [(item, 200, 1), (None, 200, 1), (None, 200, 1)] * 2)
P
