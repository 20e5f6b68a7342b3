"""From image to zip and back, by the real `cdk deploy`: what the first one logged stays."""

import time
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from config.names import StageNames
from local.deploy import CdkCli
from local.emulated_aws.server import CREDENTIALS, REGION
from local.system import STAGE, System, running_system

NAMES = StageNames(STAGE)
LOGS = tuple(f"/aws/lambda/{name}" for name in (NAMES.function, NAMES.zip_function))


def deploy(system: System, folder: Path, packaging: str) -> None:
    cdk = CdkCli(endpoint_url=system.endpoint_url, work_folder=folder / packaging)
    lock = folder / "system/image-lock.json"
    context = {"stage": STAGE, "packaging": packaging, "imageLock": str(lock)}
    with cdk.deploying([NAMES.rooms_stack], context) as deployment:
        deployment.go_on()
        while not deployment.is_done():
            time.sleep(0.1)


@pytest.mark.proof
def test_the_log_outlives_its_function_and_does_not_stand_in_the_way_of_its_return(
    tmp_path: Path,
) -> None:
    with running_system(port=0, work_folder=tmp_path / "system") as system:
        session: Any = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        logs = session.client("logs", endpoint_url=system.endpoint_url)
        lambda_ = session.client("lambda", endpoint_url=system.endpoint_url)

        def functions() -> set[str]:
            return {one["FunctionName"] for one in lambda_.list_functions()["Functions"]}

        def logged(group: str, room: str) -> bool:
            events = logs.filter_log_events(logGroupName=group)["events"]
            return any(room in event["message"] for event in events)

        def ask(group: str, room: str) -> None:
            """Ask for a room that is not there, and wait for the line about it."""
            assert requests.get(f"{system.url}/rooms/{room}", timeout=30).status_code == 404
            while not logged(group, room):
                time.sleep(0.1)

        ask(LOGS[0], "BCDF23")

        deploy(system, tmp_path, "zip")
        assert NAMES.zip_function in functions()
        assert NAMES.function not in functions()
        ask(LOGS[1], "BCDF24")
        assert logged(LOGS[0], "BCDF23")

        deploy(system, tmp_path, "image")
        assert NAMES.function in functions()
        assert NAMES.zip_function not in functions()
        ask(LOGS[0], "BCDF25")
        assert logged(LOGS[0], "BCDF23")
        assert logged(LOGS[1], "BCDF24")
