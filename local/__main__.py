"""``python -m local``: deploy the whole system on this machine and serve it."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

from local.deploy import DeployError
from local.deployed import DeployedError
from local.gateway import PortInUseError
from local.image import ImageError
from local.system import FunctionDoesNotStartError, WorkFolderInUseError, running_system

DESCRIPTION = """\
Deploy the whole system to an emulated AWS on this machine with the real CDK CLI, run the
deployed function under the real runtime client, and serve the deployed page and HTTP API as
CloudFront would. Nothing leaves the machine, and no AWS account is needed. Edits to lambda_src
show on the next request; edits to frontend/, app.py, stacks/ and constructs/ after a restart."""


def main() -> int:
    """Run until Ctrl-C or SIGTERM (status 0); status 1 when the system does not come up."""
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description=DESCRIPTION,
        epilog="Logs and the cloud assembly are in .local/.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=3000,
        help="where to serve the page and the API (default: 3000; 0: any)",
    )
    port: int = parser.parse_args().port

    work_folder = Path.cwd() / ".local"
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        print("Deploying hima-five-bomber to this machine ...", flush=True)
        with running_system(port=port, work_folder=work_folder, report=_Terminal()) as system:
            print(_greeting(system.url), flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("Ended.")
    except PortInUseError as error:
        return _fail(f"{error}\nEnd what listens there, or take another: make run PORT={port + 1}")
    except WorkFolderInUseError as error:
        return _fail(f"{error}\nEnd that one first: one folder serves one system at a time")
    except DeployError as error:
        return _fail(str(error))
    except (ImageError, DeployedError) as error:
        return _fail(f"what was deployed cannot be served: {error}")
    except FunctionDoesNotStartError as error:
        return _fail(
            f"the function does not start, and would not on AWS:\n{error}\n"
            f"Its whole log is in {work_folder / 'function.log'}"
        )
    return 0


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):  # noqa: PLR2004  (the largest port)
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)


class _Terminal:
    def step(self, what: str, seconds: float) -> None:
        print(f"  {what:<44} {seconds:5.1f} s", flush=True)

    def request(self, method: str, path: str, status: int, milliseconds: float) -> None:
        print(f"{method} {path} → {status}, {milliseconds:.0f} ms", flush=True)

    def problem(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """Unwind, and let no second Ctrl-C disturb it."""
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


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
