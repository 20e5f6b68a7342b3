"""The modules that are built into Node.

https://nodejs.org/api/module.html#modulebuiltinmodules; read from Node 20.20, 22.23 and 24.21.
"""

from typing import Final

_NAMES: Final = frozenset(
    [
        "_http_agent",
        "_http_client",
        "_http_common",
        "_http_incoming",
        "_http_outgoing",
        "_http_server",
        "_stream_duplex",
        "_stream_passthrough",
        "_stream_readable",
        "_stream_transform",
        "_stream_wrap",
        "_stream_writable",
        "_tls_common",
        "_tls_wrap",
        "assert",
        "assert/strict",
        "async_hooks",
        "buffer",
        "child_process",
        "cluster",
        "console",
        "constants",
        "crypto",
        "dgram",
        "diagnostics_channel",
        "dns",
        "dns/promises",
        "domain",
        "events",
        "fs",
        "fs/promises",
        "http",
        "http2",
        "https",
        "inspector",
        "inspector/promises",
        "module",
        "net",
        "os",
        "path",
        "path/posix",
        "path/win32",
        "perf_hooks",
        "process",
        "punycode",
        "querystring",
        "readline",
        "readline/promises",
        "repl",
        "stream",
        "stream/consumers",
        "stream/promises",
        "stream/web",
        "string_decoder",
        "sys",
        "timers",
        "timers/promises",
        "tls",
        "trace_events",
        "tty",
        "url",
        "util",
        "util/types",
        "v8",
        "vm",
        "wasi",
        "worker_threads",
        "zlib",
    ]
)
_ONLY_WITH_SCHEME: Final = {"sea": (20, 12), "sqlite": (22, 5), "test": (18, 0)}
"""Found only as ``node:NAME``, and since which version."""


def is_built_in(specifier: str, version: tuple[int, int] | None) -> bool | None:
    """Tell whether Node has this module built in; None where that depends on a version unknown."""
    if not specifier.startswith("node:"):
        return specifier in _NAMES
    name = specifier.removeprefix("node:")
    if name in _NAMES:
        return True
    since = _ONLY_WITH_SCHEME.get(name.partition("/")[0])
    if version and since:
        return version >= since
    # What a later Node has, nobody knows yet.
    return None
