"""A stage of a project in an emulated account, and a CDK CLI that does what a test says.

The CLI is a process like the real one, in `node_modules/.bin`; what it does to the account is done
by the test, which it tells of its arguments.
"""

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from moto import mock_aws
from moto.cloudformation.models import Event, cloudformation_backends

from config.image_lock import ImagePin, read_image_lock, write_image_lock
from config.project import Project, Stage
from imagecheck.image.aws import aws_client
from tests.support.cdk_context import CDK_JSON
from tests.support.imagecheck.http_server import Answer, Request, serving

ACCOUNT = "123456789012"
API_URL = "https://abc123.execute-api.ap-northeast-1.amazonaws.com"
# The repository itself is made beside it, as one that stays where the stack goes.
_REGISTRY = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
_BASE = "sha256:" + "b" * 64
_CLI = """#!{python} -SE
import json, os, subprocess, sys, time, urllib.request
request = urllib.request.Request("{url}/", json.dumps(sys.argv[1:]).encode())
answer = json.load(urllib.request.urlopen(request))
print(answer["said"], flush=True)
if answer["hangs"]:
    child = subprocess.Popen(["sleep", "600"])
    urllib.request.urlopen("{url}/" + str(child.pid)).read()
    time.sleep(600)
sys.exit(answer["status"])
"""


@dataclass(frozen=True)
class Cdk:
    """What the CLI says, and how it ends. ``hangs``: not before it is ended."""

    said: str = ""
    status: int = 0
    hangs: bool = False


@dataclass
class DeployedStage:
    """Everything that `deploy` and `rollback` look at. A new one was never deployed."""

    project: Project
    stage: Stage
    cdk: Callable[[Sequence[str]], Cdk] = lambda _: Cdk()
    called: list[list[str]] = field(default_factory=list)
    """The arguments of each call of the CLI, but for synth."""
    synthesized: list[list[str]] = field(default_factory=list)
    """The arguments of each synth."""
    children: list[int] = field(default_factory=list)
    """The process ids of its children."""
    pins: list[ImagePin] = field(default_factory=list)
    """Those of the images that were pushed, in order."""
    on_child: Callable[[], None] = lambda: None
    """What happens when a CLI that hangs has a child."""
    _seconds: Iterator[int] = field(default_factory=itertools.count)
    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def old(self) -> ImagePin:
        """The pin of the image that was pushed first."""
        return self.pins[0]

    @property
    def new(self) -> ImagePin:
        """The pin of the image that was pushed last."""
        return self.pins[-1]

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = aws_client(service, self.stage.region)
        return self._clients[service]

    def push(self) -> ImagePin:
        """Push an image, and make its pin; each is pinned a second later than the one before."""
        number = next(self._seconds)
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": number},
            "layers": [{"digest": f"sha256:{number:064x}", "size": 1}],
        }
        image = self.client("ecr").put_image(
            repositoryName=self.stage.names.repository,
            imageManifest=json.dumps(manifest),
            imageTag=f"{number:040x}",
        )["image"]
        pin = ImagePin(
            digest=image["imageId"]["imageDigest"],
            architecture=self.stage.settings.architecture,
            base_digest=_BASE,
            source_revision=f"{number:040x}",
            pinned_at=f"2026-11-25T00:00:{number:02}Z",
        )
        self.pins.append(pin)
        return pin

    def delete(self, pin: ImagePin) -> None:
        self.client("ecr").batch_delete_image(
            repositoryName=self.stage.names.repository, imageIds=[{"imageDigest": pin.digest}]
        )

    def pin(self, pin: ImagePin) -> None:
        """Write the lock file, which has another stage's pin too."""
        write_image_lock(self.project.lock, {self.stage.name: pin, "prd": pin})

    def pinned(self) -> ImagePin:
        return read_image_lock(self.project.lock)[self.stage.name]

    def release(self, pin: ImagePin | None) -> None:
        """Do what CloudFormation does when all goes well: function, alias, outputs, parameter."""
        name = self.stage.names.function if pin else self.stage.names.zip_function
        lambda_ = self.client("lambda")
        version = self.publish(pin)
        try:
            lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        except lambda_.exceptions.ResourceNotFoundException:
            lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
        self.stack("COMPLETE", FunctionName=name)
        value = {
            "packaging": "image" if pin else "zip",
            **({"pin": msgspec.to_builtins(pin)} if pin else {}),
        }
        self.client("ssm").put_parameter(
            Name=self.stage.names.release_parameter,
            Value=json.dumps(value),
            Type="String",
            Overwrite=True,
        )

    def publish(self, pin: ImagePin | None) -> str:
        """Give the function new code, and publish it as a version that has no traffic yet."""
        lambda_ = self.client("lambda")
        name = self.stage.names.function if pin else self.stage.names.zip_function
        uri = f"{ACCOUNT}.dkr.ecr.ap-northeast-1.amazonaws.com/{self.stage.names.repository}"
        code = {"ImageUri": f"{uri}@{pin.digest}"} if pin else {"ZipFile": b"no zip"}
        kind = {"PackageType": "Image"} if pin else {"Runtime": "python3.13", "Handler": "a.b"}
        try:
            lambda_.update_function_code(FunctionName=name, **code)
        except lambda_.exceptions.ResourceNotFoundException:
            lambda_.create_function(FunctionName=name, Role=self._role(), Code=code, **kind)
        return str(lambda_.publish_version(FunctionName=name)["Version"])

    def live_version(self) -> str:
        lambda_ = self.client("lambda")
        answer = lambda_.get_alias(FunctionName=self.stage.names.function, Name="live")
        return str(answer["FunctionVersion"])

    def destroy(self, stack: str) -> None:
        """Delete a stack; what this class has made beside it stays."""
        self.client("cloudformation").delete_stack(StackName=stack)

    def make_table(self, name: str, **properties: Any) -> None:
        """Make a table that is in no stack."""
        self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "roomId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "roomId", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            **properties,
        )

    def settings(self, **changed: Any) -> None:
        """Change settings of the stage in `cdk.json`."""
        path = self.project.root / "cdk.json"
        cdk_json = json.loads(path.read_text())
        cdk_json["context"]["stages"][self.stage.name] |= changed
        path.write_text(json.dumps(cdk_json))

    def stack(self, status: str, **outputs: str) -> None:
        """Make the rooms stack, or update it; ``status`` is the end of what it is then."""
        cloudformation = self.client("cloudformation")
        name = self.stage.names.rooms_stack
        outputs = {"ApiUrl": API_URL, **outputs}
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {
                key: {"Value": value}
                for key, value in {**outputs, "N": str(next(self._seconds))}.items()
            },
        }
        arguments = {"StackName": name, "TemplateBody": json.dumps(template)}
        is_new = self._stack() is None
        (cloudformation.create_stack if is_new else cloudformation.update_stack)(**arguments)
        self._stack().status = f"{'CREATE' if is_new else 'UPDATE'}_{status}"

    def failed(
        self, logical_id: str, type_: str, reason: str, status: str = "UPDATE_FAILED"
    ) -> None:
        """Let CloudFormation say that it could not change a resource."""
        self.stack("ROLLBACK_COMPLETE", FunctionName=self.stage.names.function)
        stack = self._stack()
        for event in (
            (stack.name, "AWS::CloudFormation::Stack", stack.stack_id, "UPDATE_IN_PROGRESS", ""),
            (logical_id, type_, "physical", status, reason),
            ("Other", "AWS::SNS::Topic", "other", "UPDATE_FAILED", "Resource update cancelled"),
            (
                stack.name,
                "AWS::CloudFormation::Stack",
                stack.stack_id,
                "UPDATE_ROLLBACK_IN_PROGRESS",
                f"The following resource(s) failed to update: [{logical_id}].",
            ),
        ):
            self._event(*event)

    def hook_says(self, *, at_seconds: int = 60, **said: Any) -> None:
        """Write the hook's log line, so many seconds from now."""
        logs = self.client("logs")
        group = f"/aws/lambda/{self.stage.names.prefix}-pre-traffic-hook"
        place = {"logGroupName": group, "logStreamName": str(next(self._seconds))}
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            logs.create_log_group(logGroupName=group)
        logs.create_log_stream(**place)
        line = {"message": "pre-traffic hook", **said}
        at = int((time.time() + at_seconds) * 1000)
        lines = ["START RequestId: 1", json.dumps(line), '{"message": "another"}']
        logs.put_log_events(
            **place, logEvents=[{"timestamp": at, "message": message} for message in lines]
        )

    def _stack(self) -> Any:
        backend = cloudformation_backends[ACCOUNT][self.stage.region]
        stacks = [s for s in backend.stacks.values() if s.name == self.stage.names.rooms_stack]
        return stacks[0] if stacks else None

    def _event(self, logical_id: str, type_: str, id_: str, status: str, reason: str) -> None:
        stack = self._stack()
        stack.events.append(
            Event(
                stack_id=stack.stack_id,
                stack_name=stack.name,
                logical_resource_id=logical_id,
                physical_resource_id=id_,
                resource_type=type_,
                resource_status=status,
                resource_status_reason=reason,
                resource_properties=None,
            )
        )

    def _role(self) -> str:
        iam = self.client("iam")
        try:
            return str(iam.get_role(RoleName="function")["Role"]["Arn"])
        except iam.exceptions.NoSuchEntityException:
            role = iam.create_role(RoleName="function", AssumeRolePolicyDocument="{}")
            return str(role["Role"]["Arn"])


@contextmanager
def deployed_stage(folder: Path) -> Iterator[DeployedStage]:
    """Make a project in ``folder``, whose stage `dev` has its registry and nothing else.

    The environment has to have credentials, and MOTO_LAMBDA_STUB_ECR has to be false.
    """
    (folder / "cdk.json").write_text(json.dumps(CDK_JSON))
    (folder / "image-lock.json").write_text("{}\n")
    project = Project(folder, CDK_JSON["context"])
    stage = DeployedStage(project, project.stage("dev"))

    def answer(request: Request) -> Answer:
        if request.method == "GET":
            stage.children.append(int(request.path[1:]))
            stage.on_child()
            return Answer()
        arguments = json.loads(request.body)
        if "synth" in arguments:
            stage.synthesized.append(arguments)
            output = next(text for text in arguments if text.startswith("--output="))
            folder = Path(output.removeprefix("--output="))
            folder.mkdir(parents=True)
            (folder / "manifest.json").write_text("{}")
            return Answer(body=msgspec.json.encode(Cdk()))
        stage.called.append(arguments)
        done = stage.cdk(arguments)
        return Answer(body=msgspec.json.encode(done))

    with mock_aws(), serving(answer) as server:
        stage.client("ecr").create_repository(repositoryName=stage.stage.names.repository)
        stage.client("cloudformation").create_stack(
            StackName=stage.stage.names.registry_stack, TemplateBody=json.dumps(_REGISTRY)
        )
        cli = folder / "node_modules/.bin/cdk"
        cli.parent.mkdir(parents=True)
        cli.write_text(_CLI.format(python=sys.executable, url=server.url))
        cli.chmod(0o755)
        yield stage
