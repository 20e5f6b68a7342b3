"""The story of the incident: it prints every step and checks its outcome."""

import json
import re
from collections.abc import Callable
from typing import Final

import msgspec

from config.image_lock import read_image_lock, write_pin
from demo.incident.broken import BROKEN_RELEASES, BrokenRelease, Gate
from demo.incident.checkout import CommandResult
from demo.incident.client import PlayingClient
from demo.incident.index import TAG, write_index
from demo.incident.world import NAMES, STAGE, IncidentWorld
from release.build.record import LAYOUT
from tests.support.imagecheck.tools import skopeo_copy
from tests.support.release.stand_in_base import PYTHON_VERSION

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
    """A step had another outcome than expected."""


class Story:
    """Runs the story in a world, chapter by chapter."""

    def __init__(self, world: IncidentWorld, tell: Tell) -> None:
        self._world = world
        self._tell = tell
        self._chapters = 0

    def run(self) -> None:
        """Run all chapters. Raises StoryError at the first unexpected outcome."""
        first = self._first_release()
        with (
            self._world.cloud.serving(NAMES.rooms_stack) as url,
            PlayingClient(url) as player,
        ):
            self._smoke(url)
            for broken in BROKEN_RELEASES:
                self._broken_release(broken, player, url)
            self._index(player, url)
            second = self._second_release(player, url)
            self._rollback(player, url, first, second)
        self._tell(
            f"\n{player.requests} requests of the player, none failed"
            f" ({player.retried} were retried)."
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

    def _broken_release(self, broken: BrokenRelease, player: PlayingClient, url: str) -> None:
        self._chapter(broken.title)
        self._tell(broken.story)
        world = self._world
        live, before = world.live, world.checkout.commit("Before")
        if "build" in broken.stops:
            world.move_floating_tag()
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
        world.checkout.reset_to(before)

    def _index(self, player: PlayingClient, url: str) -> None:
        """An image index, which our build never makes: pushed and pinned by hand."""
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
        world.checkout.reset_to(before)

    def _second_release(self, player: PlayingClient, url: str) -> str:
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

    def _rollback(self, player: PlayingClient, url: str, first: str, second: str) -> None:
        self._chapter("And back")
        self._tell("v2 has a fault that no gate can detect. Back to v1, with one command.")
        self._passes("rollback", STAGE, f"--url={url}")
        self._is_live(first)
        self._no_failure(player)
        if first == second:
            raise StoryError("v1 and v2 are the same image")
        self._passes("diagnose", STAGE)

    def _build(self, *options: str) -> str:
        result = self._passes(*_BUILD, *options, "--json")
        return str(json.loads(result.stdout)["digest"])

    def _stops_or_passes(self, gate: Gate, broken: BrokenRelease, command: tuple[str, ...]) -> None:
        if gate in broken.stops:
            self._stops(gate, broken, *command)
        else:
            self._passes(*command)

    def _passes(self, *command: str) -> CommandResult:
        result = self._world.checkout.release(*command)
        return self._must(result, _shown(command))

    def _must(self, result: CommandResult, command: str) -> CommandResult:
        if result.status != 0:
            raise StoryError(f"`{command}` ended with status {result.status}:\n{result.all}")
        self._tell(f"  ✓ {command}")
        return result

    def _stops(self, gate: Gate, broken: BrokenRelease, *command: str) -> None:
        result = self._world.checkout.release(*command)
        pattern = broken.stops[gate]
        said = next((line for line in result.all.splitlines() if re.search(pattern, line)), None)
        if result.status != 1 or said is None:
            raise StoryError(
                f"`{_shown(command)}` should have been refused with {pattern!r},"
                f" and ended with status {result.status}:\n{result.all}"
            )
        self._tell(f"  ✗ {_shown(command)}\n      {said.strip()}")

    def _is_named(self, broken: BrokenRelease) -> None:
        result = self._world.checkout.release("diagnose", STAGE, "--json")
        title = json.loads(result.stdout)["causes"][0]["title"] if result.status == 1 else ""
        if not title or not re.search(broken.cause, title):
            raise StoryError(
                f"`diagnose` should have named {broken.cause!r} first, and ended with status"
                f" {result.status}:\n{result.all}"
            )
        self._tell(f"  ? python -m release diagnose {STAGE}\n      {title}")

    def _is_live(self, digest: str) -> None:
        version, found = self._world.live
        if found != digest:
            raise StoryError(f"live is {found}, and should be {digest}")
        self._tell(f"  live: version {version}, {digest[:19]}…")

    def _nothing_happened(self, live: tuple[str, str], player: PlayingClient) -> None:
        if self._world.live != live:
            raise StoryError(f"live was {live}, and is {self._world.live}")
        self._no_failure(player)
        self._tell(f"  live is still version {live[0]}; {player.requests} requests, none failed")

    def _no_failure(self, player: PlayingClient) -> None:
        if player.failures:
            raise StoryError(f"the player saw {len(player.failures)}: {player.failures[:3]}")

    def _write_lock(self, digest: str) -> None:
        lock = self._world.checkout.root / "image-lock.json"
        pin = read_image_lock(lock)[STAGE]
        write_pin(lock, STAGE, msgspec.structs.replace(pin, digest=digest))

    def _chapter(self, title: str) -> None:
        self._chapters += 1
        self._tell(f"\n{self._chapters}. {title}\n")


def _shown(command: tuple[str, ...]) -> str:
    return " ".join(("python -m release", *command))
