"""Process 1 of the sandbox: becomes Lambda's user in the image, and starts its program.

bubblewrap cannot do this step. It starts programs by execvp, which gives a script or a binary of
another CPU to a shell, where Lambda reports "exec format error"; and its user owns all files, so
that no mode denies it anything.

The file imports little, because that delays every start. It reads a line of JSON with the plan from
standard input, and writes the result to a file descriptor. When standard input ends, it ends too,
and the kernel then kills everything that is left in the sandbox.
"""

import errno
import json
import os
import resource
import select
import signal
import sys
from typing import Any, NoReturn

# https://github.com/aws/aws-lambda-runtime-interface-emulator, supervisor/local/process.go
LAMBDA_UID, LAMBDA_GID = 993, 990
# What container engines give to an image that sets no PATH, and so what the emulator finds.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main(report: int) -> None:
    """Start the program, and write to ``report`` how it failed to start or ended."""
    os.set_inheritable(report, False)
    plan = json.loads(sys.stdin.buffer.readline())
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.chroot(plan["rootfs"])
    os.chdir("/")
    pid = os.fork()
    if pid == 0:
        _start_program(plan, nothing, report)
    ended = os.pidfd_open(pid)
    if ended in select.select([sys.stdin, ended], [], [])[0]:
        _report(report, {"exit": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])})


def _start_program(plan: dict[str, Any], stdin: int, report: int) -> NoReturn:
    step = "workdir"
    try:
        # As root, like Lambda's supervisor. A folder closed to its user fails at the chdir below.
        os.stat(plan["workdir"])  # noqa: PTH116  (importing pathlib takes as long as all this)
        step = "sandbox"
        os.dup2(stdin, 0)
        for number in signal.valid_signals():
            # Ignored by Python, or by the parent process.
            if signal.getsignal(number) == signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        os.umask(0o022)
        os.setsid()
        if plan["memory_bytes"]:
            resource.setrlimit(resource.RLIMIT_DATA, (plan["memory_bytes"], plan["memory_bytes"]))
        os.setgroups([])
        os.setgid(LAMBDA_GID)
        os.setuid(LAMBDA_UID)
        step = "start"
        os.chdir(plan["workdir"])
        program = plan["command"][0]
        if program and "/" not in program:
            program = _on_path(program, plan["environment"].get("PATH") or DEFAULT_PATH)
            _report(report, {"program": program})
        # Not execvp, which would give a script without a shebang to a shell.
        os.execve(program, plan["command"], plan["environment"])  # noqa: S606  (that is its task)
    except OSError as error:
        _report(report, {"failed": step, "errno": error.errno})
    except ValueError:
        # A zero byte, which cannot be in a string for the kernel.
        _report(report, {"failed": step, "errno": errno.EINVAL})
    os._exit(127)


def _on_path(name: str, path: str) -> str:
    """Return the first executable of a name in PATH, by the rules of Go's LookPath."""
    for folder in path.split(":"):
        program = f"{folder}/{name}"
        if folder.startswith("/") and os.path.isfile(program) and os.access(program, os.X_OK):  # noqa: PTH113
            return program
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _report(report: int, event: dict[str, Any]) -> None:
    os.write(report, json.dumps(event).encode() + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
