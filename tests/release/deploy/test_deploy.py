"""`release deploy`: the checks before and afterwards, and the message of each end."""

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import pytest

from config.image_lock import ImagePin
from config.project import Stage
from imagecheck.errors import FailedError
from imagecheck.image.aws import aws_client
from release.boot.answer import Failure
from release.build.gates import note_gate
from release.build.record import BuildRecord, write_record
from release.cli import main
from tests.release.deploy.test_smoke import STEPS
from tests.support.imagecheck.http_server import Answer, serving
from tests.support.release.checkout import note_passed
from tests.support.release.deployed_stage import API_URL, Cdk, DeployedStage
from tests.support.release.output import parse_output
from tests.support.release.rooms_api import RoomsApi

Run = Callable[..., tuple[int, str, str]]
STACK = "hima-five-bomber-dev-rooms"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_main(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["release", "deploy", "dev", *arguments])
        status = main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        if "--json" in arguments:
            assert parse_output(printed.out)["ok"] is (status == 0)
        return status, printed.out, printed.err

    return run_main


def releasing(dev: DeployedStage, pin: ImagePin | None) -> Callable[[Sequence[str]], Cdk]:
    def cdk(_: Sequence[str]) -> Cdk:
        dev.release(pin)
        return Cdk(f"{STACK}: deploying...")

    return cdk


def booted(dev: DeployedStage, pin: ImagePin) -> None:
    """Let the image be the one that was built and booted here."""
    record = BuildRecord(
        digest=pin.digest,
        architecture=pin.architecture,
        base_digest=pin.base_digest,
        source_revision=pin.source_revision,
        dirty=False,
        built_at="2026-11-25T00:00:00Z",
    )
    write_record(dev.project.root, record)
    note_passed(dev.project.root, record, ["check", "boot"])


@pytest.fixture
def live(dev: DeployedStage) -> DeployedStage:
    """The stage, with an image that is live as version 1, and another that the lock file pins."""
    dev.release(dev.push())
    dev.pin(dev.push())
    dev.cdk = releasing(dev, dev.new)
    return dev


# --- when all goes well -------------------------------------------------------------------------


def test_a_new_image(live: DeployedStage, run: Run, dynamodb_endpoint: str) -> None:
    api = RoomsApi(dynamodb_endpoint)
    with serving(api) as server:
        status, out, err = run("--url", server.url)

    assert status == 0
    assert out.splitlines()[:4] == [
        "dev is live",
        f"  runs     {live.new.digest}",
        f"  version  1 → 2 of {live.stage.names.function}",
        f"  API      {server.url}",
    ]
    assert [line.split()[0] for line in out.splitlines()[4:]] == [n.split()[0] for n, _ in STEPS]
    assert f"dev: version 1 ({live.old.digest}) → {live.new.digest}" in err
    assert f"{STACK}: deploying..." in err.splitlines()
    assert "EMERGENCY" not in out + err
    assert "not canaried" not in err
    assert len(live.called) == 1
    assert api.rooms_left() == 0


@pytest.mark.proof
def test_in_json(live: DeployedStage, run: Run, dynamodb_endpoint: str) -> None:
    with serving(RoomsApi(dynamodb_endpoint)) as server:
        status, out, _ = run("--url", server.url, "--json")

    document = json.loads(out)
    steps = document.pop("steps")
    assert status == 0
    assert document == {
        "stage": "dev",
        "account": "123456789012",
        "region": "ap-northeast-1",
        "packaging": "image",
        "digest": live.new.digest,
        "emergency": False,
        "functionName": live.stage.names.function,
        "versionBefore": "1",
        "versionAfter": "2",
        "apiUrl": API_URL,
        "version": 1,
        "command": "deploy",
        "ok": True,
    }
    assert [(step["name"], step["status"]) for step in steps] == STEPS


def assembly(dev: DeployedStage, pin: ImagePin) -> str:
    """Leave what `synth` leaves when an image is pinned, as far as `deploy` reads it."""
    folder = dev.project.root / "build/assembly"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    release = {"packaging": "image", "pin": msgspec.to_builtins(pin)}
    properties = {"Name": dev.stage.names.release_parameter, "Value": json.dumps(release)}
    template = {"Resources": {"Release": {"Type": "AWS::SSM::Parameter", "Properties": properties}}}
    (folder / f"{STACK}.template.json").write_text(json.dumps(template))
    return "build/assembly"


@pytest.mark.proof
def test_an_assembly_is_deployed_with_its_own_image_which_is_pinned_then(
    live: DeployedStage, run: Run
) -> None:
    live.pin(live.old)

    status, out, _ = run("--skip-smoke", "--assembly", assembly(live, live.new))

    assert status == 0
    assert f"  runs     {live.new.digest}" in out
    assert live.called[0][-1] == f"--app={live.project.root}/build/assembly"
    assert live.pinned() == live.new


@pytest.mark.proof
def test_an_assembly_that_is_stopped_leaves_the_pin_as_it_was(
    live: DeployedStage, run: Run
) -> None:
    live.pin(live.old)
    live.cdk = lambda _: Cdk("no", status=1)

    status, _, _ = run("--assembly", assembly(live, live.new))

    assert status == 2
    assert live.pinned() == live.old


def test_an_assembly_whose_image_is_not_in_the_repository(live: DeployedStage, run: Run) -> None:
    gone = live.push()
    folder = assembly(live, gone)
    live.delete(gone)

    status, _, err = run("--assembly", folder)

    assert (status, live.called) == (1, [])
    assert f"{gone.digest} is not in " in err


@pytest.mark.parametrize("said", [["--packaging", "zip"], ["--emergency"]])
def test_an_assembly_is_deployed_as_it_was_made(
    live: DeployedStage, run: Run, said: list[str]
) -> None:
    status, _, err = run("--assembly", assembly(live, live.new), *said)

    assert (status, live.called) == (2, [])
    assert "an assembly was made with its packaging" in err


def test_an_assembly_that_is_not_there(live: DeployedStage, run: Run) -> None:
    status, _, err = run("--assembly", "build/assembly")

    assert (status, live.called) == (2, [])
    assert "hint: python -m release synth dev" in err


@pytest.mark.proof
def test_a_first_deployment_says_that_it_is_not_canaried(dev: DeployedStage, run: Run) -> None:
    pin = dev.push()
    dev.pin(pin)
    dev.cdk = releasing(dev, pin)
    booted(dev, pin)

    status, out, err = run("--skip-smoke")

    assert status == 0
    assert f"dev: nothing is live → {pin.digest}" in err
    assert "Its alias live is new, so its first deployment is not canaried: boot and smoke" in err
    assert "  version  none → 1" in out
    assert "--skip-smoke: NOT tested whether the API answers" in err


def test_a_first_deployment_has_to_have_booted(dev: DeployedStage, run: Run) -> None:
    pin = dev.push()
    dev.pin(pin)
    booted(dev, pin)
    note_gate(dev.project.root, pin.digest, pin.architecture, "boot", None)

    status, _, err = run()

    assert status == 1
    assert err.endswith(
        "has not passed `boot`, and no canary would watch it\n"
        "hint: python -m release boot dev\n"
        "hint: or, if you must: python -m release deploy dev --skip-boot\n"
    )
    assert dev.called == []


@pytest.mark.proof
def test_a_first_deployment_without_boot_is_said_loudly(dev: DeployedStage, run: Run) -> None:
    pin = dev.push()
    dev.pin(pin)
    dev.cdk = releasing(dev, pin)

    status, _, err = run("--skip-boot", "--skip-smoke")

    assert status == 0
    assert "is not canaried: smoke is its only gate." in err
    assert f"SKIPPED: boot. NOT tested whether {pin.digest} starts: if it does not" in err
    assert "From the second deployment on, the pre-traffic hook is the gate that remains." in err


@pytest.mark.proof
def test_what_cannot_be_booted_here_can_be_deployed_all_the_same(
    dev: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.pin(dev.push())

    def boot(*_: object, **__: object) -> None:
        raise FailedError("this machine has another CPU", hint="boot it elsewhere")

    monkeypatch.setattr("release.deploy.preflight.boot_image", boot)

    status, _, err = run()

    assert status == 2
    assert err.endswith(
        "and no canary would watch it: this machine has another CPU\n"
        "hint: boot it elsewhere\n"
        "hint: or, if you must: python -m release deploy dev --skip-boot\n"
    )
    assert dev.called == []


@pytest.mark.proof
@pytest.mark.usefixtures("live")
def test_an_image_that_is_canaried_need_not_have_booted_here(run: Run) -> None:
    """It may have been built and booted on another machine; the hook asks it."""
    status, _, err = run("--skip-boot", "--skip-smoke")

    assert status == 0
    assert "starts: the pre-traffic hook is the gate that remains.\n" in err


def test_as_a_zip(live: DeployedStage, run: Run) -> None:
    live.cdk = releasing(live, None)
    before = live.project.lock.read_bytes()

    status, out, err = run("--packaging", "zip", "--skip-smoke", "--json")

    assert status == 0
    document = json.loads(out)
    assert (document["packaging"], document["digest"]) == ("zip", None)
    assert document["functionName"] == live.stage.names.zip_function
    assert "A function cannot change from image to zip: the stack makes another one" in err
    assert "is not canaried: smoke is its only gate" in err
    assert "--context=packaging=zip" in live.synthesized[0]
    assert live.project.lock.read_bytes() == before


@pytest.mark.proof
def test_what_ran_before_a_zip_is_written_down_in_the_log_that_stays(
    live: DeployedStage, run: Run
) -> None:
    """Lambda deletes the versions with their function."""
    logs, name = live.client("logs"), live.stage.names.function
    group = f"/aws/lambda/{name}"
    logs.create_log_group(logGroupName=group)
    variables = {"ROOMS_TABLE": "rooms", "SECRET": "a secret"}
    live.client("lambda").update_function_configuration(
        FunctionName=name, Environment={"Variables": variables}
    )
    live.publish(live.new)
    live.cdk = releasing(live, None)

    status, out, err = run("--packaging", "zip", "--skip-smoke")

    assert status == 0
    assert f"Its log stays, with a list of its versions: {group}. To read them:\n" in err
    tail = f"  aws logs tail {group} --region ap-northeast-1 --since 1d"
    assert f"{tail}\n{tail} --log-stream-name-prefix versions/\n" in err
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert re.fullmatch(r"versions/\d{4}-\d\d-\d\dT\d{6}Z", stream["logStreamName"])
    events = logs.filter_log_events(logGroupName=group, logStreamNamePrefix="versions/")["events"]
    first, second = (json.loads(event["message"]) for event in events)
    repository = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/hima-five-bomber-dev-rooms"
    assert first["function"] == name
    assert (first["version"], first["live"]) == ("1", True)
    assert first["image"] == f"{repository}@{live.old.digest}"
    assert (second["version"], second["live"]) == ("2", False)
    assert second["image"] == f"{repository}@{live.new.digest}"
    assert second["variables"] == ["ROOMS_TABLE", "SECRET"]
    assert "a secret" not in json.dumps([first, second]) + out + err


@pytest.mark.proof
def test_what_cannot_be_written_down_is_shown_and_stops_nothing(
    live: DeployedStage, run: Run
) -> None:
    live.cdk = releasing(live, None)

    status, _, err = run("--packaging", "zip", "--skip-smoke")

    assert status == 0
    name = live.stage.names.function
    assert f"warning: the versions of {name} could not be written into its log: " in err
    assert f'  {{"function":"{name}","version":"1","live":true,"image":"' in err


@pytest.mark.proof
@pytest.mark.usefixtures("live")
def test_an_image_after_an_image_writes_nothing_down(run: Run) -> None:
    status, _, err = run("--skip-smoke")

    assert status == 0
    assert "versions" not in err


def test_back_from_a_zip(live: DeployedStage, run: Run) -> None:
    live.release(None)
    booted(live, live.new)

    status, _, err = run("--skip-smoke")

    assert status == 0
    assert "A function cannot change from zip to image" in err
    assert "is not canaried: boot and smoke are its gates" in err


@pytest.mark.proof
def test_a_zip_needs_no_pin(dev: DeployedStage, run: Run) -> None:
    dev.cdk = releasing(dev, None)

    assert run("--packaging", "zip", "--skip-smoke")[0] == 0


@pytest.mark.proof
def test_an_emergency_is_said_loudly(live: DeployedStage, run: Run) -> None:
    status, out, err = run("--emergency", "--skip-smoke")
    again, json_out, _ = run("--emergency", "--skip-smoke", "--json")

    assert (status, again) == (0, 0)
    assert "--context=emergency=true" in live.synthesized[0]
    assert "EMERGENCY: the new version gets all traffic at once. No hook tests it" in err
    assert err.index("EMERGENCY") < err.index("deploying dev ...")
    assert out.splitlines()[0] == "dev is live, deployed as an EMERGENCY"
    assert json.loads(json_out)["emergency"] is True


@pytest.mark.proof
def test_an_emergency_waits_for_no_boot(dev: DeployedStage, run: Run) -> None:
    pin = dev.push()
    dev.pin(pin)
    dev.cdk = releasing(dev, pin)

    status, _, err = run("--emergency", "--skip-smoke")

    assert status == 0
    assert f"EMERGENCY: NOT tested whether {pin.digest} starts" in err


# --- what stands in the way, before anything is touched ------------------------------------------


def refuses(dev: DeployedStage, run: Run, message: str, *arguments: str, status: int = 1) -> str:
    lock = dev.project.lock.read_bytes()

    found, out, err = run(*arguments)

    assert (found, out) == (status, "")
    assert message in err
    assert dev.called == dev.synthesized == []
    assert dev.project.lock.read_bytes() == lock
    return err


def test_nothing_pinned(dev: DeployedStage, run: Run) -> None:
    refuses(
        dev, run, "no image is pinned for dev in image-lock.json\nhint: build an image and take it"
    )


def test_a_lock_file_of_another_form(dev: DeployedStage, run: Run) -> None:
    dev.project.lock.write_text("[]")

    refuses(dev, run, "image-lock.json: Expected `object`", status=2)


@pytest.mark.usefixtures("dev")
def test_another_stage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["release", "deploy", "devel"])

    assert main() == 2
    assert "there is no stage 'devel' in cdk.json" in capsys.readouterr().err


def test_another_packaging(dev: DeployedStage, run: Run) -> None:
    refuses(dev, run, "'tar' is not one of", "--packaging", "tar", status=2)


def test_a_url_that_is_none(live: DeployedStage, run: Run) -> None:
    """Said before the deployment, not after it."""
    refuses(live, run, "invalid URL of an API: 'nowhere'", "--url", "nowhere", status=2)


def test_an_image_that_is_not_in_the_repository(live: DeployedStage, run: Run) -> None:
    live.delete(live.new)

    err = refuses(live, run, f"{live.new.digest} is not in ")
    assert "python -m release" in err


def expire_all(dev: DeployedStage) -> None:
    """Let a lifecycle rule take away everything that is older than ten images, as people write."""
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
        "action": {"type": "expire"},
    }
    dev.client("ecr").put_lifecycle_policy(
        repositoryName=dev.stage.names.repository, lifecyclePolicyText=json.dumps({"rules": [rule]})
    )


def test_a_lifecycle_rule_that_can_take_a_deployed_image(live: DeployedStage, run: Run) -> None:
    """Rules A5, A6: days later the function, or what CloudFormation goes back to, has no image."""
    expire_all(live)

    err = refuses(live, run, "images that are in use are not safe")

    assert live.new.digest in err
    assert live.old.digest in err


@pytest.mark.proof
def test_a_lifecycle_rule_can_be_skipped(live: DeployedStage, run: Run) -> None:
    expire_all(live)

    status, _, err = run("--skip-lifecycle", "--skip-smoke")

    assert status == 0
    assert "--skip-lifecycle: NOT checked that no lifecycle rule deletes" in err


def test_the_live_image_has_gone(live: DeployedStage, run: Run) -> None:
    """Rule A6: if this deployment failed, CloudFormation could not go back."""
    live.delete(live.old)

    assert live.old.digest in refuses(live, run, "images that are in use are not safe")


def tags(dev: DeployedStage, pin: ImagePin) -> list[str]:
    (image,) = dev.client("ecr").describe_images(
        repositoryName=dev.stage.names.repository, imageIds=[{"imageDigest": pin.digest}]
    )["imageDetails"]
    return [tag for tag in image["imageTags"] if tag.startswith("deployed-")]


@pytest.mark.proof
def test_an_image_is_tagged_before_it_is_deployed(live: DeployedStage, run: Run) -> None:
    expected = [live.stage.names.deployed_tag(live.new.digest)]
    seen = []

    def cdk(_: Sequence[str]) -> Cdk:
        seen.extend(tags(live, live.new))
        live.release(live.new)
        return Cdk()

    live.cdk = cdk

    assert run("--skip-smoke")[0] == 0
    assert seen == expected
    assert run("--skip-smoke")[0] == 0


class Booted(NamedTuple):
    failure: Failure | None


@pytest.mark.proof
@pytest.mark.parametrize("failure", [None, Failure("Runtime.InvalidEntrypoint", "exec", "init")])
def test_a_first_image_that_was_booted_elsewhere_is_booted_here(
    dev: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch, failure: Failure | None
) -> None:
    pin = dev.push()
    dev.pin(pin)
    dev.cdk = releasing(dev, pin)
    asked = []

    def boot(_: object, __: object, reference: object, **___: object) -> Booted:
        asked.append(str(reference))
        return Booted(failure)

    monkeypatch.setattr("release.deploy.preflight.boot_image", boot)

    status, _, err = run("--skip-smoke")

    assert [one.partition("@")[2] for one in asked] == [pin.digest]
    assert status == (1 if failure else 0)
    if failure:
        assert "does not start, and no canary would watch it: init: Runtime.Invalid" in err
        assert "python -m release boot dev --image" in err
        assert dev.called == []


def test_a_stack_that_is_being_changed(live: DeployedStage, run: Run) -> None:
    live.stack("IN_PROGRESS")

    refuses(live, run, f"{STACK} is UPDATE_IN_PROGRESS: another deployment is in progress")


def test_a_stack_that_could_not_go_back(live: DeployedStage, run: Run) -> None:
    live.stack("ROLLBACK_FAILED")

    refuses(live, run, f"{STACK} is UPDATE_ROLLBACK_FAILED, and must be repaired")


def test_no_credentials(live: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    refuses(live, run, "no AWS credentials are found", status=2)


def test_no_network(live: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    refuses(live, run, "nothing answers at AWS_ENDPOINT_URL (http://127.0.0.1:1)", status=2)


# --- what stops it ------------------------------------------------------------------------------


def failing(dev: DeployedStage, then: Callable[[], None] = lambda: None) -> None:
    def cdk(_: Sequence[str]) -> Cdk:
        then()
        return Cdk(f"❌  {STACK} failed: ToolkitError: it did not work", status=1)

    dev.cdk = cdk


def test_the_pre_traffic_hook(live: DeployedStage, run: Run) -> None:
    def refused() -> None:
        live.publish(live.new)
        live.failed("Live", "AWS::Lambda::Alias", "Deployment failed")
        live.hook_says(status="Failed", step="create", found="Runtime.InvalidEntrypoint: exec")

    failing(live, refused)

    status, out, err = run()
    again, json_out, _ = run("--json")

    assert (status, out, again) == (1, "", 1)
    assert err.splitlines()[-2:] == [
        "error: stopped by the pre-traffic hook: create: Runtime.InvalidEntrypoint: exec;"
        " the alias live is still at version 1",
        "hint: python -m release diagnose dev",
    ]
    document = json.loads(json_out)
    assert document["error"]["details"] == {
        "gate": "the pre-traffic hook",
        "cause": "create: Runtime.InvalidEntrypoint: exec",
    }
    assert (document["digest"], document["versionAfter"]) == (live.new.digest, None)


def test_cloudformation(live: DeployedStage, run: Run) -> None:
    reason = "The image manifest, config or layer media type for the source image is not supported."
    failing(live, lambda: live.failed("Function1", "AWS::Lambda::Function", reason))

    status, _, err = run()

    assert status == 1
    assert (
        f"error: stopped by CloudFormation: Function1 (AWS::Lambda::Function): {reason};"
        " the alias live is still at version 1"
    ) in err


@pytest.mark.proof
def test_what_stopped_a_deployment_before_is_not_what_stopped_this_one(
    live: DeployedStage, run: Run
) -> None:
    live.failed("Function1", "AWS::Lambda::Function", "of yesterday")
    failing(live)

    status, _, err = run()

    assert status == 2
    assert "of yesterday" not in err


@pytest.mark.proof
def test_a_first_deployment_that_fails(dev: DeployedStage, run: Run) -> None:
    pin = dev.push()
    dev.pin(pin)
    booted(dev, pin)
    failing(dev, lambda: dev.failed("Table1", "AWS::DynamoDB::Table", "no", "CREATE_FAILED"))

    status, _, err = run()

    assert status == 1
    assert "stopped by CloudFormation: Table1 (AWS::DynamoDB::Table): no; nothing is live" in err


@pytest.mark.proof
def test_a_rollback_that_fails_too(live: DeployedStage, run: Run) -> None:
    def twice() -> None:
        live.failed("Function1", "AWS::Lambda::Function", "no")
        live.stack("ROLLBACK_FAILED", FunctionName=live.stage.names.function)

    failing(live, twice)

    _, _, err = run()

    assert (
        "still at version 1, and CloudFormation could not go back (UPDATE_ROLLBACK_FAILED)" in err
    )


@pytest.mark.proof
def test_an_alias_that_did_not_go_back(live: DeployedStage, run: Run) -> None:
    def half() -> None:
        live.release(live.new)
        live.failed("Alarm1", "AWS::CloudWatch::Alarm", "no")

    failing(live, half)

    _, _, err = run()

    assert f"the alias live is at version 2 ({live.new.digest}), before it was at version 1" in err


@pytest.mark.proof
def test_a_cli_that_does_not_get_as_far_as_cloudformation(live: DeployedStage, run: Run) -> None:
    """No bootstrap, no permission, an app that does not synthesize: it says so itself."""
    failing(live)

    status, out, err = run("--json")

    assert status == 2
    assert json.loads(out)["error"]["code"] == "FAILED"
    assert err.splitlines()[-2:] == [
        "error: `cdk deploy` failed, and not for what CloudFormation did; the alias live is still"
        " at version 1",
        f"  ❌  {STACK} failed: ToolkitError: it did not work",
    ]


@pytest.mark.proof
def test_a_cli_that_is_lost_while_cloudformation_works(
    live: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when its credentials expire during the canary: nobody watches it, so it is cancelled."""
    cancelled: list[str] = []

    def cancel(_: object, name: str) -> bool:
        cancelled.append(name)
        return True

    monkeypatch.setattr("release.deploy.cancel_deployment._cancelled", cancel)
    failing(live, lambda: live.stack("IN_PROGRESS", FunctionName=live.stage.names.function))

    status, _, err = run()

    assert status == 2
    assert cancelled == [STACK]
    assert (
        "error: `cdk deploy` failed while CloudFormation worked; CloudFormation rolls the update"
        " back, and live stays at version 1"
    ) in err
    assert "it did not work" in err


@pytest.mark.proof
def test_aws_is_lost_too(live: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost() -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        region = live.stage.region
        monkeypatch.setattr(Stage, "client", lambda _, service: aws_client(service, region))

    failing(live, lost)

    status, _, err = run()

    assert status == 2
    assert "error: `cdk deploy` failed, and the state of the stack is unknown" in err
    assert (
        f"hint: aws cloudformation describe-stacks --region ap-northeast-1 --stack-name {STACK}"
        in err
    )
    assert "it did not work" in err


@pytest.mark.proof
def test_another_image_than_was_pinned_is_live(live: DeployedStage, run: Run) -> None:
    """Rule H4: somebody else deployed meanwhile, or the CLI worked on another lock file."""
    pinned, other = live.new, live.push()
    live.cdk = releasing(live, other)

    status, out, err = run("--json")

    assert status == 1
    assert json.loads(out)["error"]["details"]["gate"] == "what is live"
    assert f"CloudFormation deployed {pinned.digest}, but version 2 ({other.digest}) is live" in err
    assert "python -m release diagnose dev" in err


@pytest.mark.proof
def test_a_zip_is_live_where_an_image_should_be(live: DeployedStage, run: Run) -> None:
    live.cdk = releasing(live, None)

    assert run()[0] == 1


@pytest.mark.proof
@pytest.mark.usefixtures("live")
def test_an_api_that_answers_wrongly(run: Run) -> None:
    with serving(lambda _: Answer(500, body=b"{}")) as server:
        status, out, err = run("--url", server.url)
        again, json_out, _ = run("--url", server.url, "--json")

    assert (status, out, again) == (1, "", 1)
    assert err.splitlines()[-3:] == [
        f"error: dev is deployed (version 2), but {server.url} answers wrongly: create: status 500,"
        " wanted 200",
        "hint: find the cause: python -m release diagnose dev",
        "hint: roll back: python -m release rollback dev",
    ]
    document = json.loads(json_out)
    assert document["error"]["details"] == {
        "gate": "smoke",
        "cause": "create: status 500, wanted 200",
    }
    assert (document["versionAfter"], document["steps"]) == ("3", [])


@pytest.mark.proof
@pytest.mark.usefixtures("live")
def test_an_api_that_cannot_be_reached(run: Run) -> None:
    status, out, err = run("--url", "https://nowhere.invalid")

    assert (status, out) == (2, "")
    assert "dev is deployed (version 2), but the test of its API was not finished: create:" in err
    assert "python -m release smoke https://nowhere.invalid" in err


# --- interruptions ------------------------------------------------------------------------------


@pytest.mark.proof
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_while_the_cli_works(
    live: DeployedStage,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    """CloudFormation has begun: it is told to go back, and nothing of the CLI stays."""
    cancelled: list[str] = []

    def cancel(_: object, name: str) -> bool:
        cancelled.append(name)
        return True

    monkeypatch.setattr("release.deploy.cancel_deployment._cancelled", cancel)

    def cdk(_: Sequence[str]) -> Cdk:
        live.stack("IN_PROGRESS", FunctionName=live.stage.names.function)
        return Cdk("working", hangs=True)

    live.cdk = cdk
    live.on_child = lambda: os.kill(os.getpid(), number)
    before = signal.getsignal(number)
    lock = live.project.lock.read_bytes()

    status, out, err = run()

    assert (status, out) == (2, "")
    assert (
        "error: interrupted; CloudFormation rolls the update back, and live stays at version 1"
        in err
    )
    assert cancelled == [STACK]
    assert live.live_version() == "1"
    assert live.project.lock.read_bytes() == lock
    assert signal.getsignal(number) is before
    assert live.children


def test_interrupted_before_anything_was_touched(
    live: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("release.deploy.deploy.require_image", interrupt)

    status, _, err = run()

    assert status == 2
    assert err.splitlines()[-1] == "error: interrupted; nothing was changed"
    assert live.called == []


@pytest.mark.proof
@pytest.mark.usefixtures("live")
def test_interrupted_while_the_api_is_asked(run: Run) -> None:
    def interrupt(_: object) -> Answer:
        os.kill(os.getpid(), signal.SIGINT)
        return Answer(500)

    with serving(interrupt) as server:
        status, _, err = run("--url", server.url)

    assert status == 2
    assert (
        "error: interrupted; but dev is deployed (version 2);"
        f" the test of its API was not finished\nhint: python -m release smoke {server.url}"
    ) in err


def test_help(run: Run) -> None:
    status, out, _ = run("--help")

    assert status == 0
    for word in ("STAGE", "--packaging", "--emergency", "--skip-lifecycle", "--url", "Ctrl-C"):
        assert word in out


@pytest.mark.proof
def test_each_service_of_aws_gets_one_client(
    live: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client takes a tenth of a second to make."""
    made: list[str] = []

    def counted(service: str, region: str) -> Any:
        made.append(service)
        return aws_client(service, region)

    monkeypatch.setattr("config.project.aws_client", counted)

    assert run("--skip-smoke")[0] == 0
    assert len(made) > 2
    assert len(made) == len(set(made))
    assert live.live_version() == "2"
