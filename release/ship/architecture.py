"""The CPU of a stage's functions, where this machine has another one: a choice to explain."""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from typing import Final

import typer

from config.project import Project, Stage
from config.whole_file import write_whole
from imagecheck.errors import FailedError
from imagecheck.function import IMAGE_ARCHITECTURES, Architecture
from imagecheck.terminal import say
from release.boot.engine import (
    can_emulate,
    choose_engine,
    is_docker_on_this_machine,
    this_cpu,
)
from release.build.record import BUILD
from release.errors import RefusedError
from release.ship.lock_change import commit_file

_FILE: Final = "cdk.json"
# https://aws.amazon.com/lambda/pricing/
_PRICES: Final[Mapping[Architecture, str]] = {
    "x86_64": "Lambda's price of a GB-second is a quarter higher than for arm64",
    "arm64": "Lambda's price of a GB-second is a fifth lower than for x86_64",
}


def require_cpu(stages: Sequence[Stage], *, ask: bool) -> Architecture | None:
    """Require that images for these stages can be built and booted here.

    With ``ask`` the person may choose the CPU that this machine has; it is returned then, and None
    where nothing is to be changed.

    Raises:
        RefusedError: this machine cannot, and nobody chose so.

    """
    here = this_cpu()
    others = [stage for stage in stages if not _runs_here(stage.settings.architecture)]
    if not others:
        return None
    names, wanted = " ".join(stage.name for stage in stages), others[0].settings.architecture
    what = (
        f"the functions of {others[0].name} are {wanted} (cdk.json), and this machine is"
        f" {here or platform.machine()}: it can neither build nor boot their image as it is"
    )
    ways = _ways(names, wanted, here)
    if not (ask and here):
        raise RefusedError(what, hint="\n".join(ways))
    say("\n".join((f"{what}. Choose one:", *(f"  {way}" for way in ways))))
    if typer.confirm(f"Make the functions of {names} {here}?", default=False, err=True):
        return here
    raise RefusedError(f"the functions of {others[0].name} stay {wanted}; nothing was changed")


def _runs_here(architecture: Architecture) -> bool:
    """Whether programs of a CPU run here, be it under an emulator: `boot` says so then."""
    if architecture == this_cpu() or can_emulate(architecture):
        return True
    # Docker's virtual machines have emulators, as Docker Desktop has.
    return choose_engine(None) == "docker" and not is_docker_on_this_machine()


def _ways(names: str, wanted: Architecture, here: Architecture | None) -> Sequence[str]:
    """Return what can be done, and what each costs."""
    cpu = IMAGE_ARCHITECTURES[wanted]
    ship = f"python -m release ship {names}"
    own = (
        f"make them {here} ({_PRICES[here]}; every builder has to be {here} then):"
        f" {ship} --architecture {here}"
        if here
        else None
    )
    qemu = (
        f"emulate {wanted} with QEMU (build and boot take several times as long):"
        " apt-get install qemu-user-static, or with Docker:"
        f" docker run --privileged --rm tonistiigi/binfmt --install {cpu}"
    )
    remote = (
        "build on another machine (the image is not booted: the pre-traffic hook is the gate that"
        " remains, and a first deployment has none):"
        f" docker buildx create --use --platform linux/{cpu} ssh://USER@HOST, then"
        f" {ship} --skip-boot"
    )
    return [way for way in (own, qemu, remote) if way]


def set_architecture(project: Project, stages: Sequence[Stage], architecture: Architecture) -> bool:
    """Write the CPU of stages into ``cdk.json`` and commit that; False: nothing was to be changed.

    Raises FailedError when the file cannot be written or committed.
    """
    others = [stage for stage in stages if stage.settings.architecture != architecture]
    if not others:
        return False
    path = project.root / _FILE
    names = " and ".join(stage.name for stage in others)
    try:
        before = text = path.read_text(encoding="utf-8")
        for stage in others:
            text = _with_architecture(text, stage.name, architecture)
        _replace(project, text)
        try:
            commit_file(project, _FILE, f"The functions of {names} are {architecture}")
        except BaseException:
            _replace(project, before)
            raise
    except OSError as error:
        raise FailedError(
            f"{path} cannot be written: {error.strerror or error}; it is unchanged"
        ) from error
    return True


def _replace(project: Project, text: str) -> None:
    write_whole(project.root / _FILE, text.encode(), scratch=project.root / BUILD)


def _with_architecture(text: str, stage: str, architecture: Architecture) -> str:
    """Change the setting of a stage, and leave the form of the file where that is clear."""
    wanted = json.loads(text)
    wanted["context"]["stages"][stage]["architecture"] = architecture
    setting = re.compile(rf'("{re.escape(stage)}"\s*:\s*\{{[^{{}}]*?"architecture"\s*:\s*)"\w+"')
    changed = setting.sub(rf'\1"{architecture}"', text, count=1)
    return changed if json.loads(changed) == wanted else json.dumps(wanted, indent=2) + "\n"
