"""An image of Node starts as on Lambda: AWS's SDK finds a home, AWS's client its handler."""

import json
from pathlib import Path

import pytest

from imagecheck.check import check_image
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from lambda_runtime.image_sandbox import LAMBDA_HOME
from tests.release.boot.conftest import BootIt, Deployed
from tests.support.imagecheck.cases import ON_HOST, Silent
from tests.support.release.node_image import ENV, node_image

SDK = "@aws-sdk/client-dynamodb"
# The rooms, as short as the contract test lets them be.
ROOMS = """
const os = require("node:os");
const { DynamoDBClient, DeleteItemCommand, GetItemCommand, PutItemCommand } =
  require("@aws-sdk/client-dynamodb");
console.info(JSON.stringify({ home: os.homedir(), user: os.userInfo().username }));

const client = new DynamoDBClient({});
const TableName = process.env.ROOMS_TABLE;
const key = (id) => ({ roomId: { S: id } });
const load = async (id) => {
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: key(id) }));
  return Item && JSON.parse(Item.seats.S);
};
const save = (id, seats) => client.send(seats.length
  ? new PutItemCommand({ TableName, Item: { ...key(id), seats: { S: JSON.stringify(seats) } } })
  : new DeleteItemCommand({ TableName, Key: key(id) }));
const seat = (name, playerToken) => ({ name, playerToken, playerId: "p-" + name });
const room = (seats) => seats.length ? {
  players: seats.map(({ name, playerId }) => ({ name, playerId })), hostId: seats[0].playerId,
} : null;
const say = (statusCode, body, headers = {}) =>
  ({ statusCode, body: JSON.stringify(body), headers });

exports.handler = async ({ routeKey, pathParameters, headers, body }) => {
  const roomId = pathParameters?.roomId ?? "ABCDEF";
  const playerToken = (headers.authorization ?? "Bearer t").slice(7);
  const sent = JSON.parse(body ?? "{}");
  const seats = routeKey === "POST /rooms" ? [] : await load(roomId);
  if (!seats) return say(404, {});
  if (routeKey.startsWith("GET")) {
    return say(headers["if-none-match"] ? 304 : 200, room(seats), { etag: "1" });
  }
  const left = routeKey.startsWith("DELETE")
    ? seats.filter((each) => each.playerToken !== playerToken)
    : [...seats, seat(sent.hostName ?? sent.playerName, playerToken)];
  await save(roomId, left);
  return say(200, { roomId, playerToken, room: room(left) });
};
"""
TELLS = "console.info(JSON.stringify(process.env)); process.exit(7);"


@pytest.mark.proof
@pytest.mark.parametrize("client", [3, 4])
def test_an_image_with_the_sdk_for_javascript_starts_and_plays(
    boot: BootIt, tmp_path: Path, client: int
) -> None:
    found = boot(node_image(tmp_path, ROOMS, SDK, client=client))

    assert found.failure is None, found
    assert [step.name for step in found.steps][:2] == ["create", "join"]
    told = next(line for line in found.output if "sbx_" in line).replace("\\", "")
    assert f'"home":"{LAMBDA_HOME}","user":"sbx_user1051"' in told


@pytest.mark.proof
def test_check_finds_no_fault_in_what_boots(cache: LayerCache, tmp_path: Path) -> None:
    image = node_image(tmp_path, ROOMS, SDK, client=4)

    report = check_image(parse_reference(image.reference), ON_HOST, cache=cache, progress=Silent())

    assert [f for f in report.findings if f.severity == "error"] == []


@pytest.mark.proof
@pytest.mark.parametrize(("client", "error"), [(3, ""), (4, "Runtime.ExitError")])
def test_a_handler_that_only_the_entrypoint_names(
    boot: BootIt, cache: LayerCache, tmp_path: Path, client: int, error: str
) -> None:
    """The fourth generation ignores its arguments, and Lambda an ENV of _HANDLER."""
    image = node_image(
        tmp_path,
        ROOMS,
        SDK,
        client=client,
        entrypoint=["aws-lambda-ric", "index.handler"],
        cmd=None,
        env={**ENV, "_HANDLER": "index.handler"},
    )

    report = check_image(parse_reference(image.reference), ON_HOST, cache=cache, progress=Silent())
    found = boot(image)

    assert [f.rule for f in report.findings if f.severity == "error"] == (["E1"] if error else [])
    assert (found.failure.error_type if found.failure else "") == error, found


@pytest.mark.proof
def test_128_mb_are_enough_to_start(boot: BootIt, deployed: Deployed, tmp_path: Path) -> None:
    deployed.function["MemorySize"] = 128

    assert boot(node_image(tmp_path, ROOMS, SDK, client=4)).failure is None


@pytest.mark.proof
@pytest.mark.parametrize(
    ("cmd", "env", "told"),
    [
        (["index.handler"], {}, ("index.handler", "/var/task")),
        (["index.handler"], {"_HANDLER": "another.handler"}, ("index.handler", "/var/task")),
        (["index.handler", "more"], {"LAMBDA_TASK_ROOT": "/app"}, ("index.handler", "/app")),
        (None, {"_HANDLER": "another.handler"}, ("", "/var/task")),
    ],
)
def test_what_lambda_sets_for_an_image(
    boot: BootIt,
    tmp_path: Path,
    cmd: list[str] | None,
    env: dict[str, str],
    told: tuple[str, str],
) -> None:
    image = node_image(
        tmp_path,
        TELLS,
        SDK,
        client=4,
        entrypoint=["node", "/var/task/index.js"],
        cmd=cmd,
        env={"PATH": "/usr/local/bin", **env},
    )

    found = boot(image)

    assert found.failure and found.failure.message.endswith("exit status 7")
    variables = json.loads("".join(found.output))
    assert (variables["_HANDLER"], variables["LAMBDA_TASK_ROOT"]) == told
    assert variables["LAMBDA_RUNTIME_DIR"] == "/var/runtime"
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_Image"
    assert variables["PATH"] == "/usr/local/bin"
    assert not {"HOME", "LANG", "TZ", "AWS_LAMBDA_MAX_CONCURRENCY"} & set(variables)
