"""The story: told to a person, and held against what has to happen at every step."""

import json
import re
from collections.abc import Callable
from typing import Final

from release.record import LAYOUT
from tests.imagecheck.tools import skopeo_copy
from tests.incident.broken import BROKEN_RELEASES, BrokenRelease, Gate
from tests.incident.checkout import Ran
from tests.incident.client import Player
from tests.incident.index import TAG, write_index
from tests.incident.world import NAMES, STAGE, World
from tests.release.stand_in_base import PYTHON_VERSION

Tell = Callable[[str], object]

_BUILD: Final = (
    "build",
    STAGE,
    "--builder=buildah",
    f"--build-arg=PYTHON_VERSION={PYTHON_VERSION}",
)
_SKIP_BASE: Final = ("--skip-base-digest", "--skip-base-architecture")
_CHECK: Final = ("check", "oci:build/image", f"--stage={STAGE}")
_BOOT: Final = ("boot", STAGE)
_SKIP_GATES: Final = ("--skip-check", "--skip-boot")


class StoryError(Exception):
    """Something happened otherwise than it has to."""


class Story:
    """Plays it in a world, chapter by chapter."""

    def __init__(self, world: World, tell: Tell) -> None:
        self._world = world
        self._tell = tell
        self._chapters = 0

    def play(self) -> None:
        """Play it all. Raises StoryError at the first thing that is not as it has to be."""
        first = self._first_release()
        with (
            self._world.cloud.serving(NAMES.rooms_stack) as url,
            Player(url) as player,
        ):
            self._smoke(url)
            for broken in BROKEN_RELEASES:
                self._broken_release(broken, player, url)
            self._index(player, url)
            second = self._second_release(player, url)
            self._rollback(player, url, first, second)
        self._tell(
            f"\n{player.requests} requests of the player, and not one that failed"
            f" ({player.asked_again} were asked for once more)."
        )

    def _first_release(self) -> str:
        self._chapter("A good release")
        self._tell("An empty account, and a checkout with everything right.")
        cdk = "node_modules/.bin/cdk"
        self._must(self._world.checkout.run(cdk, "bootstrap"), "cdk bootstrap")
        registry = ("deploy", f"--context=stage={STAGE}", NAMES.registry_stack)
        self._must(
            self._world.checkout.run(cdk, *registry, "--require-approval=never"),
            f"cdk deploy {NAMES.registry_stack}",
        )
        digest = self._build()
        for command in (_CHECK, _BOOT, ("push", STAGE), ("pin", STAGE)):
            self._passes(*command)
        self._world.checkout.commit("Pin v1")
        self._passes("deploy", STAGE, "--skip-smoke")
        self._is_live(digest)
        return digest

    def _smoke(self, url: str) -> None:
        self._passes("smoke", url)
        self._tell("From here on a player plays without a pause.")

    def _broken_release(self, broken: BrokenRelease, player: Player, url: str) -> None:
        self._chapter(broken.title)
        self._tell(broken.story)
        world = self._world
        live, before = world.live, world.checkout.commit("Before")
        if "build" in broken.stops:
            world.pull_afresh()
        broken.change(world.checkout, world.bases)
        world.checkout.commit(broken.title)
        if "build" in broken.stops:
            self._stops("build", broken, *_BUILD)
        digest = self._build(*(_SKIP_BASE if "build" in broken.stops else ()))
        self._stops_or_passes("check", broken, _CHECK)
        self._stops_or_passes("boot", broken, _BOOT)
        self._passes("push", STAGE, *_SKIP_GATES)
        self._passes("pin", STAGE, *_SKIP_GATES)
        self._stops("deploy", broken, "deploy", STAGE, f"--url={url}")
        if digest == live[1]:
            raise StoryError("the broken release has the digest of the good one")
        self._is_named(broken)
        self._nothing_happened(live, player)
        world.checkout.go_back_to(before)

    def _index(self, player: Player, url: str) -> None:
        """An image index, which no builder of ours makes: pushed and pinned by hand."""
        self._chapter("An image index with an attestation")
        self._tell(
            "Somebody builds with plain `docker buildx`, which wraps the image in an index, pushes"
            " it by hand and writes its digest into the lock file by hand."
        )
        world = self._world
        live, before = world.live, world.checkout.commit("Before")
        good = self._build()
        digest = write_index(world.checkout.root / LAYOUT, good)
        stops: dict[Gate, str] = {
            "check": r"✗ B2 ",
            "boot": r"index",
            "deploy": r"^error: .*manifest, config or layer media type .* is not supported",
        }
        broken = BrokenRelease(
            title="", story="", change=lambda *_: None, stops=stops, cause="index|attestation|media"
        )
        image = f"oci:{LAYOUT}@{digest}"
        self._stops("check", broken, "check", image, f"--stage={STAGE}")
        self._stops("boot", broken, "boot", STAGE, f"--image={image}")
        skopeo_copy(
            f"oci:{world.checkout.root / LAYOUT}:{TAG}",
            f"docker://{world.registry}/{NAMES.repository}:{TAG}",
            "--all",
        )
        self._write_lock(digest)
        world.checkout.commit("Pin by hand")
        self._stops("deploy", broken, "deploy", STAGE, f"--url={url}")
        self._is_named(broken)
        self._nothing_happened(live, player)
        world.checkout.go_back_to(before)

    def _second_release(self, player: Player, url: str) -> str:
        self._chapter("A good v2")
        self._tell("The code changes, and nothing is wrong with it.")
        checkout = self._world.checkout
        handlers = "lambda_src/rooms/handlers.py"
        checkout.replace(handlers, "Successfully left the room", "You have left the room")
        checkout.commit("v2")
        digest = self._build()
        for command in (_CHECK, _BOOT, ("push", STAGE), ("pin", STAGE)):
            self._passes(*command)
        checkout.commit("Pin v2")
        self._passes("deploy", STAGE, f"--url={url}")
        self._is_live(digest)
        self._no_failure(player)
        return digest

    def _rollback(self, player: Player, url: str, first: str, second: str) -> None:
        self._chapter("And back")
        self._tell("v2 has a fault that no gate can know. Back to v1, with one command.")
        self._passes("rollback", STAGE, f"--url={url}")
        self._is_live(first)
        self._no_failure(player)
        if first == second:
            raise StoryError("v1 and v2 are the same image")
        self._passes("diagnose", STAGE)

    def _build(self, *options: str) -> str:
        ran = self._passes(*_BUILD, *options, "--json")
        return str(json.loads(ran.answer)["digest"])

    def _stops_or_passes(self, gate: Gate, broken: BrokenRelease, command: tuple[str, ...]) -> None:
        if gate in broken.stops:
            self._stops(gate, broken, *command)
        else:
            self._passes(*command)

    def _passes(self, *command: str) -> Ran:
        ran = self._world.checkout.release(*command)
        return self._must(ran, _shown(command))

    def _must(self, ran: Ran, command: str) -> Ran:
        if ran.status != 0:
            raise StoryError(f"`{command}` ended with status {ran.status}:\n{ran.all}")
        self._tell(f"  ✓ {command}")
        return ran

    def _stops(self, gate: Gate, broken: BrokenRelease, *command: str) -> None:
        ran = self._world.checkout.release(*command)
        pattern = broken.stops[gate]
        said = next((line for line in ran.all.splitlines() if re.search(pattern, line)), None)
        if ran.status != 1 or said is None:
            raise StoryError(
                f"`{_shown(command)}` should have been refused with {pattern!r},"
                f" and ended with status {ran.status}:\n{ran.all}"
            )
        self._tell(f"  ✗ {_shown(command)}\n      {said.strip()}")

    def _is_named(self, broken: BrokenRelease) -> None:
        ran = self._world.checkout.release("diagnose", STAGE, "--json")
        title = json.loads(ran.answer)["causes"][0]["title"] if ran.status == 1 else ""
        if not title or not re.search(broken.cause, title):
            raise StoryError(
                f"`diagnose` should have named {broken.cause!r} first, and ended with status"
                f" {ran.status}:\n{ran.all}"
            )
        self._tell(f"  ? python -m release diagnose {STAGE}\n      {title}")

    def _is_live(self, digest: str) -> None:
        version, found = self._world.live
        if found != digest:
            raise StoryError(f"live is {found}, and should be {digest}")
        self._tell(f"  live: version {version}, {digest[:19]}…")

    def _nothing_happened(self, live: tuple[str, str], player: Player) -> None:
        if self._world.live != live:
            raise StoryError(f"live was {live}, and is {self._world.live}")
        self._no_failure(player)
        self._tell(f"  live is still version {live[0]}; {player.requests} requests, none failed")

    def _no_failure(self, player: Player) -> None:
        if player.failures:
            raise StoryError(f"the player saw {len(player.failures)}: {player.failures[:3]}")

    def _write_lock(self, digest: str) -> None:
        lock = json.loads(self._world.checkout.read("image-lock.json"))
        lock[STAGE]["digest"] = digest
        self._world.checkout.write("image-lock.json", json.dumps(lock, indent=2) + "\n")

    def _chapter(self, title: str) -> None:
        self._chapters += 1
        self._tell(f"\n{self._chapters}. {title}\n")


def _shown(command: tuple[str, ...]) -> str:
    return " ".join(("python -m release", *command))
