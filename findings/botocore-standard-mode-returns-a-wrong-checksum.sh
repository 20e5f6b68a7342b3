#!/usr/bin/env bash
# botocore 1.44.5 (PyPI), a client of DynamoDB.
#
# Expected: an answer that does not fit its checksum, x-amz-crc32, is an error when the attempts are
#   used up, as in the retry mode "legacy" (ChecksumError), and as any other fault of the network is.
# Seen: in the mode "standard", which is the default, it is tried again, and the last answer is
#   returned as a success, whatever it says.
# Why it matters: an item with a changed bit is taken for the stored one. The attempts that botocore
#   logs look as if somebody cared. lambda_src/rooms/transport.py checks each answer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.44.5 2>/dev/null
"$folder/venv/bin/python" - <<'P'
import http.server
import sys
import threading
import zlib

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

STORED = b'{"Item":{"seats":{"N":"5"}}}'
CHANGED = STORED.replace(b"5", b"4")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    requests = 0

    def do_POST(self):
        type(self).requests += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("x-amz-crc32", str(zlib.crc32(STORED)))
        self.send_header("Content-Length", str(len(CHANGED)))
        self.end_headers()
        self.wfile.write(CHANGED)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
seen = {}
for mode in ("legacy", "standard"):
    Handler.requests = 0
    client = botocore.session.get_session().create_client(
        "dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test",
        endpoint_url=f"{'http'}://127.0.0.1:{server.server_port}",
        config=Config(retries={"mode": mode, "total_max_attempts": 2}))  # fmt: skip
    try:
        seen[mode] = client.get_item(TableName="t", Key={"id": {"S": "1"}})["Item"]
    except BotoCoreError as error:
        seen[mode] = type(error).__name__
    print(f"{mode:9} {Handler.requests} requests, then:", seen[mode])
sys.exit(seen != {"legacy": "ChecksumError", "standard": {"seats": {"N": "4"}}})
P
