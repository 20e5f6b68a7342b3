#!/usr/bin/env bash
# awslambdaric 4.2.2 (PyPI), the runtime interface client for Python.
#
# Expected: a file of the function with the name of a module that the client imports either does no
#   harm, or is reported to Lambda as Runtime.ImportModuleError.
# Seen: `python -m awslambdaric` searches the working directory first, also for the client's own
#   imports. A json.py, a numbers.py or a runtime_client.py beside a good handler ends the process
#   before the client runs: exit status 1, no request, no report.
# Why it matters: Lambda shows Runtime.ExitError with exit status 1 and no type; the stack trace in
#   the log names the standard library or the client, and the handler was never imported.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check awslambdaric==4.2.2 2>/dev/null
cat >"$folder/api.py" <<'P'
"""A Runtime API that records the requested paths."""
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Api(BaseHTTPRequestHandler):
    def answer(self):
        with Path(sys.argv[1]).open("a") as log:
            log.write(self.path + "\n")
        time.sleep(60)  # No event comes, as on a function that nobody invokes.

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
Path(sys.argv[2]).write_text(str(server.server_port))
server.serve_forever()
P
python3 "$folder/api.py" "$folder/asked" "$folder/port" &
trap 'kill %1; rm -rf "$folder"' EXIT
until [ -s "$folder/port" ]; do sleep 0.1; done
same=yes
for hiding in none json numbers runtime_client; do
  mkdir "$folder/$hiding"
  : >"$folder/asked"
  echo 'def handler(event, context): return event' >"$folder/$hiding/app.py"
  [ "$hiding" = none ] || echo '# A file of the function.' >"$folder/$hiding/$hiding.py"
  status=0
  (cd "$folder/$hiding" && AWS_LAMBDA_RUNTIME_API="127.0.0.1:$(cat "$folder/port")" \
    timeout --signal=KILL 10 "$folder/venv/bin/python" -m awslambdaric app.handler >"$folder/log" 2>&1) || status=$?
  asked=$(sort -u "$folder/asked" | wc -l)
  # 137 is a client that waits for an event, and is ended here.
  echo "beside app.py: $hiding  exit status $status, asked for an event: $asked, $(tail -n 1 "$folder/log" | cut -c 1-70)"
  if [ "$hiding" = none ]; then [ "$asked" = 1 ] || same=no; else [ "$status/$asked" = 1/0 ] || same=no; fi
done
[ "$same" = yes ]
