"""Where in the author's files something went wrong."""

from __future__ import annotations

import traceback
from types import TracebackType

# componentize-py mounts the folders that it is given by number, and `language.toml` gives the
# project's `src` first.
_MOUNT = "/0/"


def place_of(error: BaseException) -> str:
    """Where an exception came from: the innermost line of the plugin's own files, as
    `src/plugin.py, line 12, in negative`; empty where none of them took part."""
    found = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(_MOUNT):
            name = frame.filename.removeprefix(_MOUNT)
            found = f"src/{name}, line {frame.lineno}, in {frame.name}"
    return found


def message_of(error: BaseException) -> str:
    """An exception in a line, with its place."""
    kind, text, place = type(error).__name__, str(error), place_of(error)
    if isinstance(error, ModuleNotFoundError):
        text += ": import it at the top of the file; the component has only what the build imported"
    return f"{kind}{': ' if text else ''}{text}{f' ({place})' if place else ''}"


def authors(trace: TracebackType | None) -> TracebackType | None:
    """What of a traceback is in the plugin's own files."""
    if trace is None:
        return None
    rest = authors(trace.tb_next)
    if not trace.tb_frame.f_code.co_filename.startswith(_MOUNT):
        return rest
    return TracebackType(rest, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
