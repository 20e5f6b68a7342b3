"""The stack that players open in a browser."""

from typing import Any, Final

from aws_cdk import Acknowledgment, CfnOutput, RemovalPolicy, Stack, Validations
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from constructs import Construct
from constructs.distribution_key import key_of_distribution
from constructs.kept_logs import keep_logs
from constructs.page_distribution import PageDistribution
from constructs.page_upload import PageUpload
from constructs.private_bucket import private_bucket

from config.names import StageNames
from config.settings import StageSettings
from lambda_src.rooms.routes import ROUTES
from stacks.guard_stack import web_acl_arn

ACCESS_LOG_DAYS: Final = 30
"""The lifetime of access log lines, which have players' addresses, in days."""


class WebStack(Stack):
    """The page's bucket, the distribution in front of it and of the API, and the page itself.

    The domain of the API and the distribution's secret come from SSM parameters of the rooms stack
    at deployment: an exported reference would tie the two stacks together. The limit for each
    client comes from the guard stack, in another Region.

    Args:
        names: the names of the stage.
        settings: those of the stage.

    Raises:
        PageFilesError: a file of the page is missing.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: StageNames,
        settings: StageSettings,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        # CDK's functions for uploads and for emptying buckets have double dependencies.
        self.template_options.metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}
        domain = settings.domain
        access_logs = private_bucket(
            self,
            "AccessLogs",
            retain=settings.retain_data,
            takes_access_logs=True,
            keep_days=ACCESS_LOG_DAYS,
        )
        # The page is built from the repository, so nothing needs to be kept.
        page = private_bucket(self, "Page", retain=False)
        for bucket in (access_logs, page):
            Validations.of(bucket).acknowledge(
                Acknowledgment(
                    id="AwsSolutions-S1",
                    reason="Requests of players are in the distribution's own log, and nobody else"
                    " reads these buckets.",
                )
            )
        distribution = PageDistribution(
            self,
            "Distribution",
            name=f"{names.prefix}-web",
            page=page,
            api_domain=ssm.StringParameter.value_for_string_parameter(
                self, names.api_domain_parameter
            ),
            api_key=key_of_distribution(self, names.distribution_key_parameter),
            routes=ROUTES,
            access_logs=access_logs,
            web_acl=web_acl_arn(names) if settings.requests_per_client else None,
            domain_name=domain.name if domain else None,
            certificate=(
                acm.Certificate.from_certificate_arn(self, "Certificate", domain.certificate_arn)
                if domain
                else None
            ),
        ).distribution
        upload_log = logs.LogGroup(
            self,
            "UploadLog",
            log_group_name=f"/aws/lambda/{names.prefix}-page-upload",
            retention=logs.RetentionDays[settings.log_retention],
            removal_policy=RemovalPolicy.DESTROY,
        )
        PageUpload(self, "Upload", bucket=page, distribution=distribution, log_group=upload_log)
        if settings.retain_data:
            keep_logs(self)
        host = domain.name if domain else distribution.distribution_domain_name
        CfnOutput(self, "PageUrl", value=f"https://{host}")
        CfnOutput(self, "PageBucket", value=page.bucket_name)
        CfnOutput(self, "DistributionId", value=distribution.distribution_id)
        CfnOutput(self, "DistributionDomain", value=distribution.distribution_domain_name)
