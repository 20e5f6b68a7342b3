"""The command line of docker; what an engine makes of it cannot be tested where there is none."""

from release.build.buildx import buildx_command


def test_command() -> None:
    arguments = {"BASE": "localhost:5000/base@sha256:0", "PYTHON_VERSION": "3.13"}

    assert buildx_command("context", "image", "linux/arm64", arguments) == [
        "docker",
        "buildx",
        "build",
        "--progress=plain",
        "--platform=linux/arm64",
        "--provenance=false",
        "--sbom=false",
        "--no-cache",
        "--network=none",
        "--build-arg=SOURCE_DATE_EPOCH=0",
        "--build-arg=BASE=localhost:5000/base@sha256:0",
        "--build-arg=PYTHON_VERSION=3.13",
        "--output=type=oci,dest=image,tar=false,oci-mediatypes=true,rewrite-timestamp=true"
        ",compression=gzip,force-compression=true",
        "context",
    ]
