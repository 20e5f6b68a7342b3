"""docs/restore.md, walked: its commands, in its order, against an emulated AWS.

The stories follow each other in one account; a test needs those that came before its own.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import urllib3

from config.names import StageNames
from demo.incident.broken import DOCKERFILE
from demo.incident.checkout import CommandResult
from demo.incident.world import IncidentWorld, incident_world
from release.deploy.smoke import KEY_HEADER
from tests.support.aws_cli import run_aws
from tests.support.documents import document
from tests.support.release.stand_in_base import PYTHON_VERSION

# A story is in the set-up of the first test that looks at it, and takes minutes on a slow machine.
pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("restore"), pytest.mark.timeout(1800)]

PRD: Final = StageNames("prd")
RESTORED: Final = f"{PRD.first_table}-restored"


@dataclass
class Place:
    """The account, a checkout whose stage prd is deployed, and the page."""

    world: IncidentWorld
    http: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)

    def follow(self, title: str, **filled_in: str) -> list[tuple[str, Any]]:
        """Run the commands of a section, and return them with what they answer."""
        return [(one, self._run(one, filled_in)) for one in commands(title)]

    def _run(self, command: str, filled_in: dict[str, str]) -> Any:
        for name, value in filled_in.items():
            command = command.replace(name, value)
        program, *rest = command.split()
        if program == "aws":
            answer = run_aws(command, self.world.cloud.client)
            # Of the answers, the page needs the ARN that a later command takes.
            if isinstance(answer, list):
                filled_in["ARN"] = answer[-1]
            return answer
        if program == "python":
            # The API has no address outside of AWS: `create` and the others here test it.
            skip = ["--skip-smoke"] if "deploy" in rest else []
            return done(self.world.checkout.release(*rest[2:], *skip))
        if program == "npx":
            options = ["--require-approval=never"]
            return done(self.world.checkout.run("node_modules/.bin/cdk", *rest[1:], *options))
        assert program == "git"
        return self.world.checkout.commit("as the page says")

    def api(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        stage: StageNames = PRD,
        token: str | None = None,
    ) -> Any:
        """Ask the API of a stage as its page does, and return status and answer."""
        live = self.world.cloud.client("lambda").get_function_configuration(
            FunctionName=stage.function, Qualifier="live"
        )
        headers = {KEY_HEADER: live["Environment"]["Variables"]["DISTRIBUTION_KEYS"].split(",")[0]}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with self.world.cloud.serving(stage.rooms_stack) as url:
            answer = self.http.request(method, f"{url}{path}", json=body, headers=headers)
            return answer.status, answer.json()

    def create(self, name: str) -> dict[str, Any]:
        status, answer = self.api("POST", "/rooms", {"hostName": name})
        assert status == 200, answer
        created: dict[str, Any] = answer
        return created

    def names_in(self, room: dict[str, Any]) -> list[str] | None:
        """Return who is in a room; None where there is no such room."""
        status, answer = self.api("GET", f"/rooms/{room['roomId']}")
        return [player["name"] for player in answer["players"]] if status == 200 else None

    def join(self, room: dict[str, Any], name: str) -> int:
        status, _ = self.api("POST", f"/rooms/{room['roomId']}/join", {"playerName": name})
        return int(status)

    def describe(self, table: str) -> tuple[bool, Any, str]:
        """Return whether a table is protected, its expiry, and its recovery."""
        client = self.world.cloud.client("dynamodb")
        described = client.describe_table(TableName=table)["Table"]
        expiry = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        backups = client.describe_continuous_backups(TableName=table)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        return (
            described["DeletionProtectionEnabled"],
            expiry.get("AttributeName"),
            recovery["PointInTimeRecoveryStatus"],
        )

    def tables(self) -> list[str]:
        names: list[str] = self.world.cloud.client("dynamodb").list_tables()["TableNames"]
        return sorted(names)


def commands(title: str) -> list[str]:
    """Return the commands of a section of the page."""
    text = document("docs/restore.md").text
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section
    return re.findall(r"^ *\$ (.+)$", section[1], re.MULTILINE)


def done(result: CommandResult) -> CommandResult:
    assert result.status == 0, result.all
    return result


def a_second_later() -> str:
    """Return the second that is now, once it is over."""
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.02)
    return datetime.fromtimestamp(now, UTC).isoformat()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An account in which prd is deployed."""
    folder: Path = tmp_path_factory.mktemp("restore")
    with incident_world(folder, folder / "commands.log") as world:
        checkout = world.checkout
        settings = json.loads(checkout.read("cdk.json"))["context"]["stages"]
        checkout.change_context("prd", architecture=settings["dev"]["architecture"])
        checkout.replace(DOCKERFILE, "PYTHON_VERSION=3.13", f"PYTHON_VERSION={PYTHON_VERSION}")
        checkout.replace("config/function_libraries.py", '"3.13"', f'"{PYTHON_VERSION}"')
        checkout.commit("prd, for this machine")
        for command in (
            ["bootstrap"],
            ["deploy", "-c", "stage=prd", "--require-approval=never", PRD.registry_stack],
        ):
            done(checkout.run("node_modules/.bin/cdk", *command))
        for arguments in (
            ["build", "prd"],
            ["check", "oci:build/image", "--stage", "prd", "--dockerfile", "lambda_src/Dockerfile"],
            ["boot", "prd"],
            ["push", "prd"],
            ["pin", "prd"],
        ):
            done(checkout.release(*arguments))
        checkout.commit("Pin prd")
        done(checkout.release("deploy", "prd", "--skip-smoke"))
        yield Place(world)


@dataclass(frozen=True)
class Rooms:
    """A room of before, with its host and a guest; and one that was made later."""

    good: dict[str, Any]
    later: dict[str, Any]


@pytest.fixture(scope="module")
def rooms(place: Place) -> Iterator[Rooms]:
    """A bad release has made the first room empty of guests; its commands were followed."""
    good = place.create("ひま")
    assert place.join(good, "ごばく") == 200
    moment = a_second_later()
    later = place.create("later")
    place.world.cloud.client("dynamodb").update_item(
        TableName=PRD.table,
        Key={"roomId": {"S": good["roomId"]}},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": "wrong"}},
    )
    place.world.checkout.change_context("prd", table=RESTORED)
    place.follow("Rooms of a time before", **{"2026-11-28T09:00:00Z": moment})
    yield Rooms(good, later)


def test_a_restored_table_is_live_with_the_rooms_of_its_time(place: Place, rooms: Rooms) -> None:
    assert place.names_in(rooms.good) == ["ひま", "ごばく"]
    assert place.names_in(rooms.later) is None
    outputs = place.world.cloud.outputs(PRD.rooms_stack)
    assert outputs["TableName"] == RESTORED


def test_seats_of_its_time_are_accepted_and_given_up(place: Place, rooms: Rooms) -> None:
    assert place.join(rooms.good, "third") == 200
    path = f"/rooms/{rooms.good['roomId']}/leave"
    assert place.api("DELETE", path, token=rooms.good["playerToken"])[0] == 200
    assert place.names_in(rooms.good) == ["ごばく", "third"]


def test_it_is_as_the_first_one_was_and_the_first_one_has_gone(place: Place, rooms: Rooms) -> None:
    assert rooms
    assert place.describe(RESTORED) == (True, "expiresAt", "ENABLED")
    assert place.tables() == [RESTORED]


@pytest.fixture(scope="module")
def table_again(place: Place, rooms: Rooms) -> Rooms:
    """Somebody has deleted the table; its commands were followed."""
    client = place.world.cloud.client("dynamodb")
    client.update_table(TableName=RESTORED, DeletionProtectionEnabled=False)
    client.delete_table(TableName=RESTORED)
    assert place.api("GET", f"/rooms/{rooms.good['roomId']}")[0] == 503
    place.follow("The table was deleted")
    return rooms


def test_a_deleted_table_is_there_again_without_a_deployment(
    place: Place, table_again: Rooms
) -> None:
    assert place.names_in(table_again.good) == ["ごばく", "third"]
    assert place.describe(RESTORED) == (True, "expiresAt", "ENABLED")


@pytest.fixture(scope="module")
def stacks_again(place: Place, table_again: Rooms) -> tuple[Rooms, CommandResult]:
    """Somebody has destroyed the stage; its commands were followed."""
    destroyed = place.world.checkout.run(
        "node_modules/.bin/cdk", "destroy", "-c", "stage=prd", "--force", *STACKS
    )
    done(destroyed)
    listed = place.world.cloud.client("cloudformation").describe_stacks()["Stacks"]
    assert not {stack["StackName"] for stack in listed} & {*STACKS}
    refused = place.world.checkout.release("deploy", "prd", "--skip-smoke")
    place.follow("A stack was deleted")
    return table_again, refused


STACKS: Final = (PRD.rooms_stack, PRD.registry_stack)


def test_without_the_option_a_destroyed_stage_is_refused_with_it(
    stacks_again: tuple[Rooms, CommandResult],
) -> None:
    _, refused = stacks_again
    assert refused.status == 1
    assert refused.stderr.splitlines()[-2:] == [
        f"error: the table {RESTORED} and the repository {PRD.repository} are there already, and"
        " in no stack of prd",
        "hint: take over what is in it: python -m release deploy prd --import-existing-resources",
    ]


def test_a_destroyed_stage_comes_back_with_its_rooms_and_images(
    place: Place, stacks_again: tuple[Rooms, CommandResult]
) -> None:
    rooms, _ = stacks_again
    assert place.names_in(rooms.good) == ["ごばく", "third"]
    assert place.join(rooms.good, "fourth") == 200
    images = place.world.cloud.client("ecr").list_images(repositoryName=PRD.repository)
    assert images["imageIds"]


def test_another_name_is_another_stage_beside_the_first(
    place: Place, stacks_again: tuple[Rooms, CommandResult]
) -> None:
    rooms, _ = stacks_again
    live = StageNames("live")
    checkout = place.world.checkout
    settings = json.loads(checkout.read("cdk.json"))
    own = {**settings["context"]["stages"]["prd"]}
    del own["table"]
    settings["context"]["stages"]["live"] = own
    checkout.write("cdk.json", json.dumps(settings, indent=2) + "\n")
    place.follow("Another name for a stage")
    status, created = place.api("POST", "/rooms", {"hostName": "new"}, stage=live)
    assert status == 200
    assert place.names_in(created) is None
    assert place.names_in(rooms.good) == ["ごばく", "third", "fourth"]
