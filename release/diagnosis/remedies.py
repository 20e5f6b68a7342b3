"""Remedies that several rules name, and the commands in them."""

import json
import shlex

from config.project import Stage
from release.diagnosis.cause import Remedy


def roll_back(stage: Stage) -> Remedy:
    """Return the roll-back, which helps players first."""
    return Remedy("roll back to the previous image", release_command("rollback", stage))


def compare_with_stack(stage: Stage, what: str) -> Remedy:
    """Return the command that shows what was changed outside of the stack."""
    command = f"npx cdk drift -c stage={stage.name} {stage.names.rooms_stack}"
    return Remedy(f"check whether {what} by hand", command)


def revert_drift(stage: Stage, stack: str) -> Remedy:
    """Return the command that undoes changes outside of a stack, which a deployment ignores.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html
    """
    return Remedy(
        "restore what the stack defines: without this option a deployment sees no change",
        f"npx cdk deploy --revert-drift -c stage={stage.name} {stack}",
    )


def deploy_with(stage: Stage, change: str) -> Remedy:
    """Return a change in the checkout, and its deployment."""
    return Remedy(f"{change}, then deploy", release_command("deploy", stage))


def push_again(stage: Stage) -> Remedy:
    """Return build and push: the same commit gives the same digest."""
    return Remedy(
        "build the same image again from the commit in the lock file, and push it",
        f"{release_command('build', stage)} && {release_command('push', stage)}",
    )


def restore_repository_policy(stage: Stage, account: str) -> str:
    """Return the command that sets the policy which constructs/image_repository.py has."""
    function = (
        f"arn:aws:lambda:{stage.region}:{account or 'ACCOUNT'}:function:{stage.names.function}"
    )
    statement = {
        "Sid": "LambdaECRImageRetrievalPolicy",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Condition": {"ArnLike": {"aws:SourceArn": [function, f"{function}:*"]}},
    }
    return aws_command(
        "ecr",
        "set-repository-policy",
        stage,
        repository_name=stage.names.repository,
        policy_text=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def release_command(command: str, stage: Stage, *options: str) -> str:
    """Return a command of `release`."""
    return " ".join(("python -m release", command, stage.name, *options))


def aws_command(service: str, operation: str, stage: Stage, **options: str) -> str:
    """Return a command of the AWS CLI, in the stage's Region."""
    options = {**options, "region": stage.region}
    given = (f"--{name.replace('_', '-')} {shlex.quote(value)}" for name, value in options.items())
    return " ".join(("aws", service, operation, *given))
