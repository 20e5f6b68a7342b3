"""Opens the place that an image is in.

Each kind of place is imported when it is asked for: boto3 and urllib3 would make every start slow.
"""

from release.image.reference import Reference, RegistryReference
from release.image.source import ImageSource


def open_source(reference: Reference) -> ImageSource:
    """Return where the image can be read. Raises CannotLookError."""
    if isinstance(reference, RegistryReference):
        if reference.private_ecr:
            from release.image.ecr import EcrSource

            return EcrSource(reference)
        from release.image.registry import RegistrySource

        return RegistrySource(reference)
    if reference.transport == "docker-archive":
        from release.image.docker_archive import DockerArchiveSource

        return DockerArchiveSource(reference)
    from release.image.layout import LayoutSource

    return LayoutSource(reference)
