"""Process 1 of the namespaces in which starting.py starts a program: mounts, chroot, execve.

A file of its own that imports little, because every start pays for it. It reads what to do from
standard input, one line of JSON, and writes what happened to the descriptor it is given. When
standard input ends, it ends too, and the kernel then kills all that is left in the namespaces.
"""

# Importing pathlib would take as long as all that is done here.
# ruff: noqa: PTH102, PTH112, PTH114, PTH116

import ctypes
import json
import os
import select
import signal
import sys
from typing import Any, NoReturn

# https://github.com/aws/aws-lambda-runtime-interface-emulator, supervisor/local/process.go
LAMBDA_UID, LAMBDA_GID = 993, 990
# linux/mount.h
READ_ONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND = 1, 2, 4, 8, 32, 4096
DEVICES = ("full", "null", "random", "urandom", "zero")

_libc = ctypes.CDLL(None, use_errno=True)


def main(report: int) -> None:
    """Start the program, and tell ``report`` how it failed to start or ended."""
    os.set_inheritable(report, False)
    plan = json.loads(sys.stdin.buffer.readline())
    nothing = os.open("/dev/null", os.O_RDONLY)
    _mount_all(plan["rootfs"])
    os.chroot(plan["rootfs"])
    os.chdir("/")
    pid = os.fork()
    if pid == 0:
        _become(plan, nothing, report)
    ended = os.pidfd_open(pid)
    if ended in select.select([sys.stdin, ended], [], [])[0]:
        _tell(report, {"exit": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])})


def _mount_all(rootfs: str) -> None:
    points = {name: f"{rootfs}/{name}" for name in ("dev", "proc", "tmp")}
    for point in points.values():
        if not os.path.lexists(point):
            os.mkdir(point, 0o755)
    _mount(rootfs, rootfs, flags=BIND)
    # Nothing is mounted on a link: it would lead out of the image.
    real = {
        name for name, point in points.items() if os.path.isdir(point) and not os.path.islink(point)
    }
    if "tmp" in real:
        _mount("tmpfs", points["tmp"], "tmpfs", NOSUID | NODEV, "mode=1777")
    if "proc" in real:
        _mount("proc", points["proc"], "proc", NOSUID | NODEV | NOEXEC)
    if "dev" in real:
        _mount("tmpfs", points["dev"], "tmpfs", NOSUID, "mode=755")
        for device in DEVICES:
            os.close(os.open(f"{points['dev']}/{device}", os.O_CREAT))
            _mount(f"/dev/{device}", f"{points['dev']}/{device}", flags=BIND)
    _mount(rootfs, rootfs, flags=REMOUNT | BIND | READ_ONLY | NOSUID | NODEV)


def _become(plan: dict[str, Any], stdin: int, report: int) -> NoReturn:
    step = "workdir"
    try:
        # As root, like Lambda's supervisor: what its user may not enter fails at the chdir below.
        os.stat(plan["workdir"])
        step = "sandbox"
        os.dup2(stdin, 0)
        for number in signal.valid_signals():
            # By Python, or by whoever started the tests.
            if signal.getsignal(number) == signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        os.umask(0o022)
        os.setsid()
        os.setgroups([])
        os.setgid(LAMBDA_GID)
        os.setuid(LAMBDA_UID)
        step = "start"
        os.chdir(plan["workdir"])
        # execve and nothing else: execvp would hand a script without a shebang to a shell.
        os.execve(plan["command"][0], plan["command"], plan["env"])
    except OSError as error:
        _tell(report, {"failed": step, "errno": error.errno})
    except ValueError as error:
        _tell(report, {"failed": "sandbox", "why": str(error)})
    os._exit(127)


def _tell(report: int, what: dict[str, Any]) -> None:
    os.write(report, json.dumps(what).encode() + b"\n")


def _mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    texts = [os.fsencode(text) for text in (source, target, kind)]
    if _libc.mount(*texts, ctypes.c_ulong(flags), os.fsencode(options)) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"mount: {os.strerror(error)}", target)


if __name__ == "__main__":
    main(int(sys.argv[1]))
