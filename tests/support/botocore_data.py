"""The data of boto3, read once in each test process instead of once for each session.

A session keeps the descriptions of services and endpoints that it has parsed, several megabytes of
JSON, and a client the names of events that it has looked up; both go with them. Most tests have an
account of their own, and so sessions and clients of their own. Each session also looks at the
parameters of every one of botocore's own handlers.
"""

from functools import cache
from types import FunctionType
from typing import Any

from botocore import hooks
from botocore.hooks import EventAliaser
from botocore.loaders import Loader
from botocore.utils import EVENT_ALIASES


def share_botocore_data() -> None:
    """Give all sessions of this process one store of parsed data. They only read it.

    What a session reads from folders that its configuration names, it keeps for itself.
    """
    _share_descriptions()
    _share_names_of_events()
    _share_parameters()


def _share_descriptions() -> None:
    shared: dict[Any, Any] = {}
    initialize = Loader.__init__

    def initialize_with_shared(self: Any, *arguments: Any, **options: Any) -> None:
        initialize(self, *arguments, **options)
        if not arguments and not any(options.values()):
            self._cache = shared

    Loader.__init__ = initialize_with_shared  # type: ignore[method-assign]


def _share_names_of_events() -> None:
    shared: dict[str, str] = {}
    initialize = EventAliaser.__init__

    def initialize_with_shared(self: Any, *arguments: Any, **options: Any) -> None:
        initialize(self, *arguments, **options)
        if self._event_aliases == EVENT_ALIASES:
            self._alias_name_cache = shared

    EventAliaser.__init__ = initialize_with_shared  # type: ignore[method-assign]


def _share_parameters() -> None:
    accepts = hooks.accepts_kwargs
    shared = cache(accepts)

    def accepts_kwargs(handler: Any) -> Any:
        # Others than functions belong to a session, which would stay with them.
        return shared(handler) if isinstance(handler, FunctionType) else accepts(handler)

    hooks.accepts_kwargs = accepts_kwargs  # type: ignore[assignment]
