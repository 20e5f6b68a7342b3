"""The image and the function together: the subject of every rule."""

import errno
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from imagecheck.budget import Budget
from imagecheck.dockerfile import ImageUse
from imagecheck.function import Function, Start, effective_start
from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.image import Image
from imagecheck.image.layer import MAX_FILE_BYTES
from imagecheck.start.aws_base import AWS_BOOTSTRAP, AWS_ENTRYPOINT
from imagecheck.start.exec_chain import Chain, ExecFault, exec_chain
from imagecheck.start.judgement import Judgement, judge_handler
from imagecheck.start.launch import Launch, launch_of
from imagecheck.start.search_path import looks_like_handler, on_path, search_folders


@dataclass(frozen=True)
class Repository:
    """What ECR says of an image and its repository; None: it does not say."""

    policy: str | None
    image_status: str | None
    unseen: str = ""
    """Why it could not be asked."""


class Contents(Protocol):
    """Reads files of an image."""

    def __call__(
        self, nodes: Iterable[Node], limit: int = MAX_FILE_BYTES, /
    ) -> Mapping[str, bytes]:
        """Return their contents by the paths of the nodes, each cut off after ``limit`` bytes.

        Every call reads the layers that have them once more: ask for many at a time. Raises
        ImageReadError.
        """
        ...


@dataclass(frozen=True)
class Subject:
    """An image, the function it is for, and what else is at hand."""

    image: Image
    function: Function
    contents: Contents
    """Reads files of the image."""
    repository: Repository | None = None
    base: Image | None = None
    """The base that the image should have been built on."""
    dockerfile: tuple[ImageUse, ...] = ()
    """The images that the Dockerfile names."""
    frontend: ImageUse | None = None
    """The image whose program reads the Dockerfile, where it names one."""
    budget: Budget = field(default_factory=Budget)
    """How much work may still be done for this image."""

    @cached_property
    def start(self) -> Start:
        """How Lambda starts it."""
        config = self.image.config
        return effective_start(config.config if config else None, self.function)

    @cached_property
    def chain(self) -> Chain | None:
        """The way from the entrypoint to machine code; None when that cannot be walked."""
        if not self.files or not self.start.argv:
            return None
        program = self.start.argv[0]
        if program and "/" not in program:
            path = on_path(self.files, program, search_folders(self.start.environment))
            if path is None:
                return Chain((f"`{program}`",), ExecFault.NOT_ON_PATH, errno.ENOENT, program)
            program = path
        return self.walk(self.files, program, self.start.workdir or "/")

    @property
    def names_a_handler(self) -> bool:
        """Whether the start names no program, but something like a handler's name."""
        missing = (ExecFault.NOT_ON_PATH, ExecFault.MISSING)
        argv = self.start.argv
        is_missing = bool(argv and self.chain and self.chain.cause in missing)
        return is_missing and looks_like_handler(argv[0])

    @cached_property
    def launch(self) -> Launch | None:
        """The programs that run one after the other; None where nothing is started."""
        return launch_of(self)

    @cached_property
    def judgement(self) -> Judgement:
        """Whether the handler can be loaded. Raises ImageReadError."""
        return judge_handler(self)

    @cached_property
    def runtime(self) -> Chain | None:
        """The same from AWS's bootstrap, where AWS's entrypoint is to run it."""
        if not self.files or self.start.argv[:1] != (AWS_ENTRYPOINT,):
            return None
        return self.walk(self.files, AWS_BOOTSTRAP, "/")

    @property
    def files(self) -> FileSystem | None:
        """The files of the image, where they could be read."""
        return self.image.files

    @property
    def is_wholly_of_another_cpu(self) -> bool:
        """Whether image and programs agree, but not with the function."""
        config = self.image.config
        return bool(
            config
            and config.architecture != self.function.image_architecture
            and self.chain
            and self.chain.machine not in (None, self.function.machine)
        )

    @property
    def task_roots(self) -> tuple[str, ...]:
        """The folders that the function's own code is in."""
        named = (self.start.workdir, self.start.environment.get("LAMBDA_TASK_ROOT", ""))
        roots = (posixpath.normpath(path) for path in named if path.startswith("/"))
        return tuple(dict.fromkeys(root for root in roots if root != "/"))

    def walk(self, files: FileSystem, path: str, cwd: str = "/") -> Chain:
        """Walk from a program of the image to machine code."""
        return exec_chain(
            files,
            path,
            cwd=cwd,
            machine=self.function.machine,
            environment=self.start.environment,
        )
