"""The properties that say how long, how safely, and under which key resources keep their data.

A change of one replaces nothing, so CloudFormation makes it in place, and without a question.
"""

from collections.abc import Mapping
from typing import Final

from release.pipeline.changes.kept_property import FOR_EVER, KeptProperty

_REFERENCE: Final = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
_GUIDE: Final = "https://docs.aws.amazon.com/"
_OTHER_KEY: Final = "what was stored before may need the key of before: do not delete that one"


def _key(path: str, page: str) -> KeptProperty:
    return KeptProperty(path=path, when="changed", means=_OTHER_KEY, source=_REFERENCE + page)


def _backups(path: str, page: str, default: int = 1) -> KeptProperty:
    return KeptProperty(
        path=path,
        when="less",
        default=default,
        loses=True,
        means="automated backups that are older are deleted, and with 0 all of them",
        source=_REFERENCE + page,
    )


_POINT_IN_TIME: Final = "PointInTimeRecoverySpecification"
_PITR_PAGE: Final = "amazondynamodb/latest/developerguide/Point-in-time-recovery.html"
_TABLE_BACKUPS: Final = (
    KeptProperty(
        path=f"{_POINT_IN_TIME}.PointInTimeRecoveryEnabled",
        when="off",
        means="no time up to now can be restored any more, also when it is turned on again",
        source=_GUIDE + _PITR_PAGE,
    ),
    KeptProperty(
        path=f"{_POINT_IN_TIME}.RecoveryPeriodInDays",
        when="less",
        default=35,
        means="times that are longer ago can no longer be restored",
        source=_GUIDE + _PITR_PAGE,
    ),
)
_TABLE: Final = (
    *_TABLE_BACKUPS,
    KeptProperty(
        path="StreamSpecification.StreamViewType",
        when="changed",
        means="the stream that there was ends: its records can be read for 24 hours more, by its"
        " own ARN, and another stream begins empty",
        source=_GUIDE + "amazondynamodb/latest/developerguide/Streams.html",
    ),
    _key("SSESpecification", "aws-properties-dynamodb-table-ssespecification.html"),
)
_DELETE_BACKUPS: Final = KeptProperty(
    path="DeleteAutomatedBackups",
    when="on",
    default=True,
    means="its automated backups are deleted together with it",
    source=_REFERENCE + "aws-resource-rds-dbinstance.html",
)

TIME_TO_LIVE: Final = frozenset({"AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"})
"""The types whose items may expire."""

BY_TYPE: Final[Mapping[str, tuple[KeptProperty, ...]]] = {
    "AWS::Backup::BackupVault": (
        KeptProperty(
            path="LockConfiguration",
            when="gone",
            means="its backups can be deleted before their time",
            source=_REFERENCE + "aws-resource-backup-backupvault.html",
        ),
    ),
    "AWS::DocDB::DBCluster": (
        _backups("BackupRetentionPeriod", "aws-resource-docdb-dbcluster.html"),
    ),
    "AWS::DynamoDB::GlobalTable": _TABLE[len(_TABLE_BACKUPS) :],
    "AWS::DynamoDB::Table": _TABLE,
    "AWS::ECR::Repository": (
        KeptProperty(
            path="LifecyclePolicy.LifecyclePolicyText",
            when="new",
            loses=True,
            means="ECR deletes every image that one of its rules fits, within a day, also one that"
            " a function runs",
            source=_GUIDE + "AmazonECR/latest/userguide/LifecyclePolicies.html",
        ),
        KeptProperty(
            path="ImageTagMutability",
            when="off",
            words=("IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"),
            default="MUTABLE",
            means="a push can take the tag of another image, which may then expire",
            source=_GUIDE + "AmazonECR/latest/userguide/image-tag-mutability.html",
        ),
        KeptProperty(
            path="EmptyOnDelete",
            when="on",
            means="it can be deleted with all the images in it",
            source=_REFERENCE + "aws-resource-ecr-repository.html",
        ),
    ),
    "AWS::EFS::FileSystem": (
        KeptProperty(
            path="BackupPolicy.Status",
            when="off",
            words=("ENABLED", "ENABLING"),
            default="DISABLED",
            means="no backups are made any more",
            source=_REFERENCE + "aws-properties-efs-filesystem-backuppolicy.html",
        ),
        KeptProperty(
            path="ReplicationConfiguration",
            when="gone",
            means="its copy gets no changes any more",
            source=_REFERENCE + "aws-resource-efs-filesystem.html",
        ),
    ),
    "AWS::ElastiCache::ReplicationGroup": (
        _backups("SnapshotRetentionLimit", "aws-resource-elasticache-replicationgroup.html", 0),
    ),
    "AWS::Events::Archive": (
        KeptProperty(
            path="RetentionDays",
            when="less",
            default=FOR_EVER,
            loses=True,
            means="older events are deleted",
            source=_REFERENCE + "aws-resource-events-archive.html",
        ),
    ),
    "AWS::KMS::Key": (
        KeptProperty(
            path="Enabled",
            when="off",
            default=True,
            loses=True,
            means="nothing that is encrypted with it can be read until it is enabled again",
            source=_REFERENCE + "aws-resource-kms-key.html",
        ),
        KeptProperty(
            path="PendingWindowInDays",
            when="less",
            default=30,
            means="once it is to be deleted, less time is left to take that back",
            source=_REFERENCE + "aws-resource-kms-key.html",
        ),
    ),
    "AWS::Kinesis::Stream": (
        KeptProperty(
            path="RetentionPeriodHours",
            when="less",
            default=24,
            loses=True,
            means="older records can no longer be read, at once",
            source=_GUIDE + "streams/latest/dev/kinesis-extended-retention.html",
        ),
        _key("StreamEncryption", "aws-resource-kinesis-stream.html"),
    ),
    "AWS::Logs::LogGroup": (
        KeptProperty(
            path="RetentionInDays",
            when="less",
            default=FOR_EVER,
            loses=True,
            means="older log lines are deleted, within three days",
            source=_GUIDE + "AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html",
        ),
        _key("KmsKeyId", "aws-resource-logs-loggroup.html"),
    ),
    "AWS::Neptune::DBCluster": (
        _backups("BackupRetentionPeriod", "aws-resource-neptune-dbcluster.html"),
    ),
    "AWS::RDS::DBCluster": (
        _backups("BackupRetentionPeriod", "aws-resource-rds-dbcluster.html"),
        _DELETE_BACKUPS,
        KeptProperty(
            path="BacktrackWindow",
            when="less",
            default=0,
            means="changes that are longer ago can no longer be undone",
            source=_REFERENCE + "aws-resource-rds-dbcluster.html",
        ),
    ),
    "AWS::RDS::DBInstance": (
        _backups("BackupRetentionPeriod", "aws-resource-rds-dbinstance.html"),
        _DELETE_BACKUPS,
    ),
    "AWS::Redshift::Cluster": (
        _backups("AutomatedSnapshotRetentionPeriod", "aws-resource-redshift-cluster.html"),
    ),
    "AWS::S3::Bucket": (
        KeptProperty(
            path="VersioningConfiguration.Status",
            when="off",
            words=("Enabled",),
            default="Suspended",
            means="an object that is overwritten or deleted from now on is gone",
            source=_GUIDE + "AmazonS3/latest/userguide/Versioning.html",
        ),
        KeptProperty(
            path="ObjectLockConfiguration",
            when="changed",
            means="new objects may be deleted or overwritten at another time than before",
            source=_GUIDE + "AmazonS3/latest/userguide/object-lock.html",
        ),
        KeptProperty(
            path="ReplicationConfiguration",
            when="gone",
            means="new objects are no longer copied to the other bucket",
            source=_GUIDE + "AmazonS3/latest/userguide/replication.html",
        ),
        _key("BucketEncryption", "aws-properties-s3-bucket-bucketencryption.html"),
    ),
    "AWS::SNS::Topic": (
        KeptProperty(
            path="ArchivePolicy.MessageRetentionPeriod",
            when="less",
            default=0,
            loses=True,
            means="older messages of its archive are deleted",
            source=_GUIDE + "sns/latest/dg/message-archiving-and-replay-topic-owner.html",
        ),
    ),
    "AWS::SQS::Queue": (
        KeptProperty(
            path="MessageRetentionPeriod",
            when="less",
            default=345_600,
            loses=True,
            means="messages that have waited longer are deleted",
            source=_GUIDE + "AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
        ),
        KeptProperty(
            path="RedrivePolicy",
            when="gone",
            means="messages that cannot be handled no longer go to another queue: they are deleted"
            " at the end of their time",
            source=_REFERENCE + "aws-resource-sqs-queue.html",
        ),
        _key("KmsMasterKeyId", "aws-resource-sqs-queue.html"),
    ),
    "AWS::SSM::Parameter": (
        KeptProperty(
            path="Policies",
            when="new",
            loses=True,
            means="a policy of expiration deletes the parameter at its time",
            source=_GUIDE + "systems-manager/latest/userguide/parameter-store-policies.html",
        ),
        KeptProperty(
            path="Type",
            when="changed",
            means="whoever reads it gets a value of another form",
            source=_REFERENCE + "aws-resource-ssm-parameter.html",
        ),
    ),
    "AWS::SecretsManager::Secret": (
        *(
            KeptProperty(
                path=path,
                when="changed",
                loses=True,
                means="it gets another value; the one of before is kept until the next",
                source=_REFERENCE + "aws-resource-secretsmanager-secret.html",
            )
            for path in ("GenerateSecretString", "SecretString")
        ),
        _key("KmsKeyId", "aws-resource-secretsmanager-secret.html"),
    ),
}
"""By resource type."""
