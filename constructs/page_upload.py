"""The upload of the page's files to their bucket, during a deployment."""

from typing import Final

from aws_cdk import Acknowledgment, Aws, CfnResource, Duration, Stack, Validations
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct
from constructs.acknowledged import as_in_finding
from constructs.page_files import PageFiles

INDEX_PATHS: Final = ("/", "/index.html")
"""The paths to invalidate at the edge when the page changes."""


class PageUpload(Construct):
    """Uploads assets first, then the page that names them, and invalidates the old page.

    Nothing is removed: a page that was opened before the deployment still finds its assets.

    Args:
        bucket: the bucket of the page.
        distribution: the distribution that serves it.
        log_group: the log group of the upload's function.

    Raises:
        PageFilesError: a file is missing.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.IBucket,
        distribution: cloudfront.IDistribution,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        files = PageFiles()
        assets = s3_deployment.BucketDeployment(
            self,
            "Assets",
            sources=[files.assets()],
            destination_bucket=bucket,
            prune=False,
            cache_control=[
                s3_deployment.CacheControl.set_public(),
                s3_deployment.CacheControl.max_age(Duration.days(365)),
                s3_deployment.CacheControl.immutable(),
            ],
            log_group=log_group,
        )
        index = s3_deployment.BucketDeployment(
            self,
            "Index",
            sources=[files.index()],
            destination_bucket=bucket,
            distribution=distribution,
            distribution_paths=list(INDEX_PATHS),
            prune=False,
            cache_control=[s3_deployment.CacheControl.no_cache()],
            log_group=log_group,
        )
        index.node.add_dependency(assets)
        _acknowledge(index, bucket)


def _acknowledge(upload: s3_deployment.BucketDeployment, bucket: s3.IBucket) -> None:
    """Acknowledge CDK's function for uploads, of which a stack has one."""
    function = upload.handler_role.node.scope
    resource = bucket.node.default_child
    assert function  # noqa: S101  # for the type checker
    assert isinstance(resource, CfnResource)  # noqa: S101  # for the type checker
    stack = Stack.of(bucket)
    assets = as_in_finding(
        f"arn:{stack.partition}:s3:::cdk-hnb659fds-assets-{Aws.ACCOUNT_ID}-{stack.region}"
    )
    page = stack.get_logical_id(resource)
    reading = "CDK's function reads the CLI's upload from the bootstrap bucket."
    writing = "CDK's function writes objects to this bucket, whose names are not known before."
    reasons = {
        "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
        "AWSLambdaBasicExecutionRole]": "CDK's function writes its log with AWS's managed policy.",
        "IAM5[Action::s3:GetBucket*]": reading,
        "IAM5[Action::s3:GetObject*]": reading,
        "IAM5[Action::s3:List*]": reading,
        f"IAM5[Resource::{assets}/*]": reading,
        "IAM5[Action::s3:Abort*]": writing,
        "IAM5[Action::s3:DeleteObject*]": writing,
        f"IAM5[Resource::<{page}.Arn>/*]": writing,
        "IAM5[Resource::*]": "CDK allows invalidations of any distribution.",
        "L1": "CDK chooses the runtime of its function.",
    }
    for finding, reason in reasons.items():
        Validations.of(function).acknowledge(
            Acknowledgment(id=f"AwsSolutions-{finding}", reason=reason)
        )
