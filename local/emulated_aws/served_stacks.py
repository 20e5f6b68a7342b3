"""Where the API or the page of a stack is served on this machine, as the stack's outputs name it.

Outside of AWS nothing answers at the domain names of API Gateway and CloudFront. Only outputs name
another place: resources refer to each other by the names that they would have in AWS.
"""

import re
from collections.abc import Iterator
from typing import Any, Protocol

from moto.cloudformation.models import CloudFormationBackend, Stack

from local.emulated_aws.patching import Patch
from local.emulated_aws.resources.api_gateway import ApiModel
from local.emulated_aws.resources.cloudfront import DistributionModel

_moto_outputs: property = vars(Stack)["outputs"]


class ServedStacks(Protocol):
    """Knows where stacks are served. Both methods are called with the account's lock held."""

    def url(self, stack: str, *, is_page: bool) -> str:
        """Return where a stack is, or is about to be, served. It has been deployed.

        ``is_page``: it has a distribution; else it has an HTTP API.
        """

    def gone(self, stack: str) -> None:
        """The stack of this name has been deleted, whether or not it was served."""


def patches(served: ServedStacks) -> tuple[Patch, ...]:
    """Return patches that let outputs name the URLs of ``served``, and tell it of deletions."""

    delete = CloudFormationBackend.delete_stack

    def outputs(stack: Stack) -> list[dict[str, Any]] | None:
        return _outputs(stack, served)

    def delete_stack(backend: CloudFormationBackend, name_or_stack_id: str) -> None:
        before = {stack.name for stack in backend.stacks.values()}
        delete(backend, name_or_stack_id)
        for name in before - {stack.name for stack in backend.stacks.values()}:
            served.gone(name)

    return (
        Patch(Stack, "outputs", property(outputs)),
        Patch(CloudFormationBackend, "delete_stack", delete_stack),
    )


def _outputs(stack: Stack, served: ServedStacks) -> list[dict[str, Any]] | None:
    found: list[dict[str, Any]] | None = _moto_outputs.__get__(stack)
    parsed = stack.resource_map._parsed_resources.values()  # noqa: SLF001
    hosts = "|".join(re.escape(host) for resource in parsed for host in _hosts(resource))
    if not found or not hosts:
        return found
    is_page = any(isinstance(resource, DistributionModel) for resource in parsed)
    url = served.url(stack.name, is_page=is_page)
    origin = re.compile(rf"https://(?:{hosts})(?=/|$)")
    return [
        output | {"OutputValue": origin.sub(url, str(output["OutputValue"]))} for output in found
    ]


def _hosts(resource: Any) -> Iterator[str]:
    """Yield the domain names at which AWS would serve a resource."""
    if isinstance(resource, ApiModel):
        yield resource.attribute("ApiEndpoint").removeprefix("https://")
    elif isinstance(resource, DistributionModel):
        yield resource.attribute("DomainName")
        yield from resource.config.get("Aliases", ())
