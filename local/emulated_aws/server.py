"""moto's server in this process, on one thread."""

from collections.abc import Iterator
from contextlib import contextmanager

from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from local.background import in_background
from local.emulated_aws import cloudformation, registry, resources

ACCOUNT_ID = "123456789012"
REGION = "ap-northeast-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_SESSION_TOKEN": "local",
}


@contextmanager
def emulated_aws() -> Iterator[str]:
    """Serve an empty AWS account and yield its endpoint URL.

    The URL says ``localhost``: moto takes the bucket of a template's URL for the host otherwise.
    One thread serves it, since moto's DynamoDB is not atomic under several: it over-fills rooms.
    State is per process, so there is one account at a time.
    """
    BackendDict.reset()
    cloudformation.mend()
    registry.mend()
    resources.register()
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, request_handler=_QuietHandler)
    try:
        with in_background(server, "emulated-aws"):
            yield f"http://localhost:{server.server_port}"
    finally:
        BackendDict.reset()


class _QuietHandler(MotoRequestHandler):
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet: an error inside moto is logged by the server all the same."""
