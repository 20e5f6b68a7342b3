"""A private, encrypted bucket that requires TLS."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct


def private_bucket(
    scope: Construct,
    construct_id: str,
    *,
    retain: bool,
    takes_access_logs: bool = False,
    keep_days: int | None = None,
) -> s3.Bucket:
    """Return an encrypted bucket without public access.

    CloudFront writes its access logs with an ACL, which the bucket must allow:
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html

    Args:
        scope: its parent.
        construct_id: its id in the parent.
        retain: keep the bucket when the stack is deleted, else empty it first.
        takes_access_logs: let CloudFront write to it.
        keep_days: the lifetime of objects, in days; None for unlimited.

    """
    ownership = s3.ObjectOwnership
    return s3.Bucket(
        scope,
        construct_id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        object_ownership=(
            ownership.BUCKET_OWNER_PREFERRED
            if takes_access_logs
            else ownership.BUCKET_OWNER_ENFORCED
        ),
        lifecycle_rules=(
            [s3.LifecycleRule(expiration=Duration.days(keep_days))] if keep_days else None
        ),
        removal_policy=RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY,
        auto_delete_objects=not retain,
    )
