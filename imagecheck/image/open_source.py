"""Opens the place that an image is in.

Each kind of place is imported when it is asked for: boto3 and urllib3 would make every start slow.
"""

from imagecheck.budget import Budget
from imagecheck.image.reference import Reference, RegistryReference
from imagecheck.image.source import ImageSource


def open_source(reference: Reference, budget: Budget | None = None) -> ImageSource:
    """Return where the image can be read, within the budget's time. Raises ImageReadError."""
    if isinstance(reference, RegistryReference):
        if reference.private_ecr:
            from imagecheck.image.ecr import EcrSource

            return EcrSource(reference, budget=budget)
        from imagecheck.image.registry import RegistrySource

        return RegistrySource(reference, budget=budget)
    if reference.transport == "docker-archive":
        from imagecheck.image.docker_archive import open_docker_archive

        return open_docker_archive(reference, budget)
    if reference.transport == "dir":
        from imagecheck.image.directory import DirectorySource

        return DirectorySource(reference)
    from imagecheck.image.layout import LayoutSource

    return LayoutSource(reference, budget=budget)
