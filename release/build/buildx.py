"""Builds with ``docker buildx``.

https://docs.docker.com/reference/cli/docker/buildx/build/
"""

from collections.abc import Mapping
from pathlib import Path

from release.build.tool import run_tool


def build_with_buildx(
    folder: Path,
    *,
    context: str,
    layout: str,
    platform: str,
    build_arguments: Mapping[str, str],
) -> None:
    """Build the folder's ``context`` into an OCI layout in its ``layout``, for one platform.

    Raises as ``run_tool`` does.
    """
    run_tool(buildx_command(context, layout, platform, build_arguments), folder=folder)


def buildx_command(
    context: str, layout: str, platform: str, build_arguments: Mapping[str, str]
) -> list[str]:
    """Return the command line. Paths are relative, so that no comma in one can split an option."""
    # https://docs.docker.com/build/exporters/oci-docker/; what is rewritten are the times of new
    # layers (https://github.com/moby/buildkit/blob/master/docs/build-repro.md, BuildKit 0.14).
    output = f"type=oci,dest={layout},tar=false,oci-mediatypes=true,rewrite-timestamp=true"
    output += ",compression=gzip,force-compression=true"
    command = ["docker", "buildx", "build", "--progress=plain", f"--platform={platform}"]
    # With attestations it would be an image index, which Lambda refuses:
    # https://docs.docker.com/build/metadata/attestations/
    command += ["--provenance=false", "--sbom=false"]
    # A cached layer keeps the times of the build that made it:
    # https://github.com/moby/buildkit/issues/4748
    command += ["--no-cache", "--network=none", "--build-arg=SOURCE_DATE_EPOCH=0"]
    command += [f"--build-arg={name}={value}" for name, value in build_arguments.items()]
    return [*command, f"--output={output}", context]
