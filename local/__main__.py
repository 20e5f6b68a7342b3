"""``python -m local``: deploy the whole system on this machine and serve it."""

import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated, Final, NoReturn

import typer

from imagecheck import __version__
from imagecheck.command_line import DEBUG, SETTINGS, run_command_line
from local.system import running_system

_PROGRAM: Final = "python -m local"
app = typer.Typer(
    **SETTINGS,
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"{_PROGRAM} {__version__}")
        raise typer.Exit


@app.command(epilog="Logs and the cloud assembly are in .local/.")
def local(
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Where to serve the page and the API; 0: a free port."),
    ] = 3000,
    version: Annotated[  # noqa: ARG001  (its callback ends the command)
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
    debug: Annotated[  # noqa: ARG001  (run_command_line reads it)
        bool, typer.Option(DEBUG, help="Print the traceback of an error.")
    ] = False,
) -> None:
    """Deploy the whole system on this machine and serve it until Ctrl-C or SIGTERM.

    The real CDK CLI deploys to an emulated AWS, the deployed function runs under the real runtime
    client, and the deployed page and HTTP API are served as CloudFront would. Nothing leaves the
    machine, and no AWS account is needed. Edits to lambda_src show on the next request; edits to
    frontend/, app.py, stacks/ and constructs/ after a restart.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        print("Deploying hima-five-bomber to this machine ...", flush=True)
        work_folder = Path.cwd() / ".local"
        with running_system(port=port, work_folder=work_folder, progress=_Terminal()) as system:
            print(_greeting(system.url), flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("Ended.")


def main() -> int:
    """Run the command line. Exit status 0: it was ended; 2: the system does not come up."""
    # Without an argument it would print the help.
    arguments = sys.argv[1:] or ["--port=3000"]
    return run_command_line(app, _PROGRAM, arguments, command="local")


class _Terminal:
    def step(self, what: str, seconds: float) -> None:
        print(f"  {what:<44} {seconds:5.1f} s", flush=True)

    def request(self, method: str, path: str, status: int, milliseconds: float) -> None:
        print(f"{method} {path} → {status}, {milliseconds:.0f} ms", flush=True)

    def problem(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """Unwind, undisturbed by a second Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _greeting(url: str) -> str:
    return f"""
Open {url} in a browser.

The rooms API is next to the page. Create a room:

  curl -X POST {url}/rooms -H 'content-type: application/json' -d '{{"hostName": "ひま"}}'

The function's log is in .local/function.log. Ctrl-C ends everything.
"""


if __name__ == "__main__":
    sys.exit(main())
