#!/usr/bin/env bash
# ministack 1.5.33 (PyPI), an emulator of AWS; its CloudWatch Logs.
#
# Expected: of two lines, a pattern for JSON and a Logs Insights query that filters by a field of JSON
#   find the one that has it: { $.status = "error" }, and filter status = "error".
# Seen: both find both lines, and say nothing of a condition that they do not understand; the query is
#   "Complete", and the field that it selects is empty.
# Why it matters: a test of a query passes whatever the query says. A program that finds out why a
#   function fails would take any line for the cause.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ministack==1.5.33 boto3 2>/dev/null
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
BIND_HOST=127.0.0.1 GATEWAY_PORT=$port TMPDIR=$folder "$folder/venv/bin/ministack" >"$folder/log" 2>&1 &
server=$!
AWS_ENDPOINT_URL=$(printf "%s://127.0.0.1:%s" http "$port") AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
  AWS_DEFAULT_REGION=us-east-1 "$folder/venv/bin/python" - <<'P'
import sys
import time

import boto3
from botocore.config import Config

# The server is still starting: its port is refused for a moment.
logs = boto3.client("logs", config=Config(retries={"max_attempts": 12, "mode": "standard"}))
logs.create_log_group(logGroupName="/g")
logs.create_log_stream(logGroupName="/g", logStreamName="s")
now = int(time.time())
lines = ['{"status":"error","cause":"disk"}', '{"status":"success","cause":"none"}']
logs.put_log_events(logGroupName="/g", logStreamName="s",
                    logEvents=[{"timestamp": now * 1000, "message": line} for line in lines])  # fmt: skip

found = logs.filter_log_events(logGroupName="/g", filterPattern='{ $.status = "error" }')["events"]
print("pattern:", *sorted(event["message"] for event in found))

query = logs.start_query(logGroupName="/g", startTime=now - 60, endTime=now + 60,
                         queryString='fields @message, cause | filter status = "error"')  # fmt: skip
while (answer := logs.get_query_results(queryId=query["queryId"]))["status"] in ("Scheduled", "Running"):
    time.sleep(0.1)
rows = [{field["field"]: field["value"] for field in row} for row in answer["results"]]
print("query:", *sorted(f"{row['@message']} cause={row['cause']!r}" for row in rows))
sys.exit((len(found), len(rows)) != (2, 2))
P
