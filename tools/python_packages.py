"""Installs Python packages with uv, in a third of the time that pip takes.

uv reads none of pip's settings, and a company's mirror, proxy and certificates are written down
there. So pip is asked for them, and uv gets them in its own words. pip brings uv, too, into a
folder that is thrown away. All this comes first: only the standard library is there.
"""

import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

from tools.overwritten_packages import overwritten

UV: Final = Path(__file__).parents[1] / "requirements-uv.txt"
_PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check")
_SAME: Final = {
    "index-url": "UV_INDEX_URL",
    "extra-index-url": "UV_EXTRA_INDEX_URL",
    "trusted-host": "UV_INSECURE_HOST",
    "keyring-provider": "UV_KEYRING_PROVIDER",
    "timeout": "UV_HTTP_TIMEOUT",
    "retries": "UV_HTTP_RETRIES",
    "client-cert": "SSL_CLIENT_CERT",
}
"""Settings that both have; of two names for an index, uv lets the one win that is not used here."""


def main() -> int:
    """Install the locked requirements named on the command line; return uv's exit status."""
    with tempfile.TemporaryDirectory(prefix="uv-") as folder:
        bring = (*_PIP, "install", "--quiet", "--require-hashes", "--no-deps", "--no-compile")
        if status := subprocess.call((*bring, "--target", folder, "--requirement", str(UV))):
            return status
        return install(Path(folder, "bin", "uv"), sys.argv[1:])


def install(uv: Path, requirements: list[str]) -> int:
    """Install locked requirements for the Python that runs this; return the exit status."""
    pip = pip_settings()
    command = [str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--require-hashes"]
    if pip.get("no-index", "").lower() in {"1", "true", "yes", "on", "y", "t"}:
        command.append("--no-index")
    for name in requirements:
        command += ["--requirement", name]
    settings = {**os.environ, **uv_settings(pip, os.environ)}
    status = subprocess.call(command, env=settings)
    if status == 0 and (names := overwritten(distributions())):
        again = [f"--reinstall-package={name}" for name in sorted(names)]
        status = subprocess.call([*command, *again], env=settings)
    return status


def pip_settings() -> dict[str, str]:
    """Return the settings of ``pip install`` by their option, from its files and its variables."""
    said = subprocess.run(
        [*_PIP, "config", "list"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    found: dict[str, dict[str, str]] = {}
    for line in said.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        option = option.removeprefix("default-")
        found.setdefault(section, {})[option] = str(ast.literal_eval(value))
    # As pip does: what is said for `install` goes before what is for all, variables before both.
    return found.get("global", {}) | found.get("install", {}) | found.get(":env:", {})


def uv_settings(pip: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that say to uv what pip's settings say, but for those of uv's own."""
    settings = {_SAME[option]: " ".join(pip[option].split()) for option in _SAME if pip.get(option)}
    # pip passes over folders that are not there, and uv stops.
    places = [place for place in pip.get("find-links", "").split() if _is_there(place)]
    if places:
        settings["UV_FIND_LINKS"] = ",".join(places)
    if proxy := pip.get("proxy"):
        names = ("HTTP_PROXY", "HTTPS_PROXY")
        settings |= dict.fromkeys((*names, *map(str.lower, names)), proxy)
    named = (pip.get("cert"), given.get("REQUESTS_CA_BUNDLE"), given.get("CURL_CA_BUNDLE"))
    if certificates := next(filter(None, named), None):
        kind = "SSL_CERT_DIR" if Path(certificates).is_dir() else "SSL_CERT_FILE"
        settings[kind] = certificates
    # pip trusts whom the system trusts, and takes a file from whichever index has it. With hashes
    # none can slip in another.
    settings |= {"UV_SYSTEM_CERTS": "true", "UV_INDEX_STRATEGY": "unsafe-best-match"}
    return {
        name: value
        for name, value in settings.items()
        if not (name.startswith("UV_") and name in given)
    }


def _is_there(place: str) -> bool:
    return "://" in place or Path(place).expanduser().exists()


if __name__ == "__main__":
    sys.exit(main())
