"""The run that a node is part of: progress, messages, previews, files."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ._host import ask
from ._host import context as _context
from .arguments import count, data, tensor, text
from .tensor import Tensor


class Level(StrEnum):
    """How much a message matters."""

    TRACE = "trace"
    """For who follows every step."""
    DEBUG = "debug"
    """For who looks for a fault."""
    INFO = "info"
    """For the operator."""
    WARN = "warn"
    """Something is off, and the run goes on."""
    ERROR = "error"
    """Something failed."""


class Place(StrEnum):
    """Where a file goes."""

    OUTPUT = "output"
    """The operator's output folder."""
    TEMPORARY = "temporary"
    """A folder that the operator empties."""


@dataclass(frozen=True)
class Artifact:
    """A file that was written. The name was chosen by the host."""

    name: str
    """The file name, with its extension and without a folder."""
    subfolder: str
    """The folder inside the place, or empty."""
    place: Place
    """Which of the operator's folders it is in."""


def log(message: str, level: Level = Level.INFO) -> None:
    """Says something to the operator."""
    ask(_context.log, _context.Level[Level(level).name], text(str(message)))


def debug(message: str) -> None:
    """Says something to who looks for a fault."""
    log(message, Level.DEBUG)


def warn(message: str) -> None:
    """Says that something is off, and that the run goes on."""
    log(message, Level.WARN)


def progress(value: int, total: int) -> None:
    """`value` of `total` steps of this node are done."""
    ask(_context.progress, count(value), count(total))


def preview(image: Tensor) -> None:
    """Shows an intermediate image [height, width, 3], `f32`, 0…1, with the progress. The host may
    drop it.

    Raises:
        InvalidArgument: The tensor is no such image.
    """
    ask(_context.preview, tensor(image))


def cancelled() -> bool:
    """Whether the run was cancelled. Every operation raises `Cancelled` from then on."""
    return ask(_context.cancelled)


def show_text(shown: str) -> None:
    """Shows a text as a result of this node."""
    ask(_context.show_text, text(shown))


def save(
    content: bytes,
    prefix: str,
    extension: str,
    kind: str = "files",
    place: Place = Place.OUTPUT,
) -> Artifact:
    """Writes `content` as `PREFIX_00001_.EXTENSION` with the next free number, and shows it as a
    result of this node.

    Args:
        content: What is in the file.
        prefix: May name folders with `/`; it never leads out of the place.
        extension: Without a dot.
        kind: How a client shows it: `images`, `audio`, `files`.
        place: Where it goes.
    Raises:
        InvalidArgument: A name that is none.
        Other: The file cannot be written.
    """
    raw_place = _context.Place[Place(place).name]
    raw = ask(_context.save, raw_place, text(kind), text(prefix), text(extension), data(content))
    return Artifact(raw.name, raw.subfolder, Place[raw.place.name])


def read_input(name: str) -> bytes:
    """A file of the operator's input folder.

    Raises:
        NotFound: There is no such file.
        InvalidArgument: A name that is none.
    """
    return ask(_context.read_input, text(name))


def input_fingerprint(name: str) -> str:
    """A digest of a file of the input folder that changes when its content does. Raises as
    `read_input`."""
    return ask(_context.input_fingerprint, text(name))
