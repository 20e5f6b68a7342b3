"""The secret with which the page's distribution shows the API that a request is its own."""

from typing import Final

from aws_cdk import Acknowledgment, RemovalPolicy, SecretValue, Validations
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm
from constructs import Construct

_LENGTH: Final = 43


class DistributionKey(Construct):
    """A generated secret, and the one before it, so that a change locks nobody out.

    No template has a value: CloudFormation puts it where a template refers to it
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html).
    Who may read the function's configuration or the distribution's can read it there.

    Args:
        parameter_name: the SSM parameter with the ARN of the secret, for the web stack.
        number: one more makes another secret. The one before is accepted until the next change.

    """

    def __init__(
        self, scope: Construct, construct_id: str, *, parameter_name: str, number: int
    ) -> None:
        super().__init__(scope, construct_id)
        secrets = [self._secret(each) for each in (number, number - 1) if each > 0]
        self.accepted = ",".join(secret.secret_value.unsafe_unwrap() for secret in secrets)
        """The secrets that the function accepts, with commas between them."""
        ssm.StringParameter(
            self,
            "Parameter",
            parameter_name=parameter_name,
            string_value=secrets[0].secret_arn,
            description="The secret of the distribution, for the web stack",
        )

    def _secret(self, number: int) -> secretsmanager.ISecret:
        secret = secretsmanager.Secret(
            self,
            f"Secret{number}",
            description="What the distribution shows to the API",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=_LENGTH, exclude_punctuation=True
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        Validations.of(secret).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SMG4",
                reason="Function and distribution get it when they are deployed, so it changes with"
                " a deployment: the setting distributionKey of the stage.",
            )
        )
        return secret


def key_of_distribution(scope: Construct, parameter_name: str) -> str:
    """Return the secret that a distribution has to send, for its template."""
    arn = ssm.StringParameter.value_for_string_parameter(scope, parameter_name)
    return SecretValue.secrets_manager(arn).unsafe_unwrap()
