"""What a process of an image finds as it starts: its variables and the list of users."""

from collections.abc import Mapping
from typing import Any

from config.project import Stage
from imagecheck.image.layer import FileKind
from imagecheck.subject import Subject
from imagecheck.template import limits_of
from lambda_runtime.variables import image_variables, lambda_variables
from release.boot.throw_away_tables import table_name


def environment_of(
    subject: Subject, stage: Stage, tables: Mapping[str, Mapping[str, Any]], endpoint_url: str
) -> dict[str, str]:
    """Return what the process gets: the image's variables, the function's, and Lambda's."""
    declared = subject.function.declared
    assert declared  # noqa: S101  (it was read from a template)
    logging = declared.properties.get("LoggingConfig") or {}
    names = {f"${{{id_}}}": table_name(id_, table) for id_, table in tables.items()}
    own = {name: names.get(value, value) for name, value in subject.start.environment.items()}
    return image_variables(own, command=subject.start.command) | lambda_variables(
        name=stage.names.function,
        version="1",
        memory_mb=limits_of(declared).memory_mb,
        region=stage.local_region,
        log_group=f"/aws/lambda/{stage.names.function}",
        log_format=logging.get("LogFormat", "Text"),
        log_level=logging.get("ApplicationLogLevel"),
        endpoint_url=endpoint_url,
    )


def users_of(subject: Subject) -> bytes:
    """Return the image's own list of users; nothing where there is none."""
    node = subject.files.find("/etc/passwd") if subject.files else None
    if node is None or node.kind is not FileKind.FILE:
        return b""
    return subject.contents([node])[node.path]
