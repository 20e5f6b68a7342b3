"""``python -m local``: deploy the whole system on this machine and serve it."""

import signal
import sys
import threading
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated, Final, NoReturn

import typer

from imagecheck import __version__
from imagecheck.command_line import DEBUG, SETTINGS, run_command_line
from local.addresses import LOOPBACK
from local.system import System, running_system

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
    host: Annotated[
        str,
        typer.Option(help="Where to listen; 0.0.0.0: for every device in the network, too."),
    ] = LOOPBACK,
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Where to serve the page and the API; 0: a free port."),
    ] = 3000,
    cloud: Annotated[
        bool,
        typer.Option(
            "--cloud",
            help="Deploy nothing: serve an empty account to practise releasing in.",
        ),
    ] = False,
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

    With --cloud, all release commands work in that account, from `cdk bootstrap` on: it says which
    file to source in another terminal. The first page that is deployed is at --port, the next one
    beside it. Linux only. The account is in memory, and starts empty each time.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    if cloud:
        _practise(port, host)
        return
    try:
        print("Deploying hima-five-bomber to this machine ...", flush=True)
        work_folder = Path.cwd() / ".local"
        with running_system(
            port=port, host=host, work_folder=work_folder, progress=_Terminal()
        ) as system:
            print(_greeting(system), flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("Ended.")


def _practise(port: int, host: str) -> None:
    from local.practice.practice import running_practice  # noqa: PLC0415  (needed here only)

    try:
        print("Starting an account to practise in ...", flush=True)
        with running_practice(
            port=port,
            host=host,
            work_folder=Path.cwd() / ".local" / "cloud",
            progress=_Terminal(),
            say=partial(print, flush=True),
        ):
            print(_PRACTICE, flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("Ended: the account and all that was in it is gone.")


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


def _greeting(system: System) -> str:
    others = (
        f"Other devices in this network open {system.shared_url}, or scan the code in the lobby."
        if system.shared_url
        else "Other devices cannot reach it; for those in the same Wi-Fi: make run HOST=0.0.0.0"
    )
    return f"""
Open {system.url} in a browser.
{others}

The rooms API is next to the page. Create a room:

  curl -X POST {system.url}/rooms -H 'content-type: application/json' -d '{{"hostName": "ひま"}}'

The function's log is in .local/function.log. Ctrl-C ends everything.
"""


_PRACTICE: Final = """
In another terminal, in this folder:

  source .local/cloud/activate
  python -m release ship dev

The first line changes into .local/cloud/checkout, a copy of this checkout with commits of its own,
and sends the commands of that shell to this account instead of your own AWS; `leave_cloud` goes
back. README.md, "Deploy to AWS", has what else there is to practise.

The functions' log is in .local/cloud/function.log. Ctrl-C ends everything; the next start is empty.
"""


if __name__ == "__main__":
    sys.exit(main())
