"""Where tests look for the registry."""

from local.docker_registry import running_registry

__all__ = ["running_registry"]
