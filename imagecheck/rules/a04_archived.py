"""ECR has the image in its archive."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at the status that ECR has of the image."""
    status = subject.repository and subject.repository.image_status
    if status and status != "ACTIVE":
        yield Problem(
            f"ECR has the image as {status}: it cannot be pulled",
            "restore it: aws ecr update-image-storage-class --target-storage-class STANDARD …",
        )


RULE = Rule(
    id="A4",
    title="The image is archived",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=CREATE,
    why=(
        "A lifecycle policy of ECR can archive images that were not pulled for a long time. An"
        " archived image is still listed, but it cannot be pulled, not by Lambda either."
        " Restoring it takes some minutes."
    ),
    fix=("Restore the image, and keep the lifecycle policy away from images that functions run."),
    source="https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive_restore_image.html",
    bad="""\
$ aws ecr describe-images --repository-name rooms --query 'imageDetails[].imageStatus'
["ARCHIVED"]
""",
    good="""\
$ aws ecr describe-images --repository-name rooms --query 'imageDetails[].imageStatus'
["ACTIVE"]
""",
    check=check,
)
