#!/usr/bin/env bash
# aws-cdk 2.1148.1 (npm), the CDK CLI, and boto3 1.44.8 (PyPI) in an app that it starts.
#
# Expected: in one shell both take one profile: AWS_PROFILE where AWS_DEFAULT_PROFILE is set, too; and
#   after `cdk --profile second` also the app, which gets its account as CDK_DEFAULT_ACCOUNT.
# Seen: of the two variables boto3 takes AWS_DEFAULT_PROFILE and the CLI AWS_PROFILE. --profile is the
#   CLI's alone: it does not tell the app, whose boto3 stays with AWS_PROFILE. Nobody says a word.
# Why it matters: an app that looks something up (a digest, an address, a certificate) puts what it finds
#   in one account and Region into the templates of another. With both variables a script beside the
#   deployment acts on another account, too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts aws-cdk@2.1148.1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check boto3==1.44.8 2>/dev/null

cat >config <<'E'
[profile first]
region = eu-west-1
aws_access_key_id = KEYOFFIRST
aws_secret_access_key = none
[profile second]
region = us-west-2
aws_access_key_id = KEYOFSECOND
aws_secret_access_key = none
E

cat >app.py <<'P'
import json
import os
from pathlib import Path

import boto3

session = boto3.Session()
cli = os.environ["CDK_DEFAULT_ACCOUNT"], os.environ["CDK_DEFAULT_REGION"]
app = session.client("sts").get_caller_identity()["Account"], session.region_name
Path("seen.json").write_text(json.dumps([cli, app]))
output = Path(os.environ["CDK_OUTDIR"])
output.mkdir(exist_ok=True)
(output / "stack.json").write_text('{"Resources": {}}')
stack = {"type": "aws:cloudformation:stack", "environment": "aws://" + "/".join(cli),
         "properties": {"templateFile": "stack.json"}}  # fmt: skip
(output / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": {"Stack": stack}}))
P

venv/bin/python - <<'P'
import json
import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlunsplit
from pathlib import Path
from threading import Thread

FIRST, SECOND = ["111111111111", "eu-west-1"], ["222222222222", "us-west-2"]


class Sts(BaseHTTPRequestHandler):
    """Answers GetCallerIdentity: a key has an account."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        key = re.search(r"Credential=(\w+)/", self.headers["Authorization"])[1]
        account = {"KEYOFFIRST": FIRST, "KEYOFSECOND": SECOND}[key][0]
        body = (
            '<GetCallerIdentityResponse>'
            f"<GetCallerIdentityResult><Account>{account}</Account><UserId>u</UserId>"
            f"<Arn>arn:aws:iam::{account}:user/u</Arn></GetCallerIdentityResult>"
            "</GetCallerIdentityResponse>"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def seen(*options, **profiles):
    """Return account and Region of the CLI, and of boto3 in the app that it starts."""
    Path("seen.json").unlink(missing_ok=True)
    command = ["node_modules/.bin/cdk", "synth", "--quiet", "--no-notices", *options,
               "--app", "venv/bin/python app.py"]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HOME": os.getcwd(), "AWS_CONFIG_FILE": "config",
                   "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_ENDPOINT_URL_STS": address,
                   "CDK_DISABLE_CLI_TELEMETRY": "true", "CI": "true", **profiles}  # fmt: skip
    subprocess.run(command, env=environment, check=True, capture_output=True)
    cli, app = json.loads(Path("seen.json").read_text())
    said = " ".join([f"{name}={value}" for name, value in profiles.items()] + ["cdk", *options])
    print(f"{said}\n  CLI:           {' '.join(cli)}\n  boto3 in app:  {' '.join(app)}")
    return cli, app


server = HTTPServer(("127.0.0.1", 0), Sts)
Thread(target=server.serve_forever, daemon=True).start()
address = urlunsplit(("http", f"127.0.0.1:{server.server_port}", "", "", ""))
variables = seen(AWS_PROFILE="first", AWS_DEFAULT_PROFILE="second")
option = seen("--profile", "second", AWS_PROFILE="first")
sys.exit((variables, option) != ((FIRST, SECOND), (SECOND, FIRST)))
P
