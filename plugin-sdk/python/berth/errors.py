"""Why something was not done, as exceptions.

The contract's errors are data that travel between plugins and the host, so there is one
exception for each of its cases: whatever a node raises, the next plugin and the
operator can still tell a wrong argument from a lack of memory.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Tier(StrEnum):
    """A place where bytes can be."""

    DEVICE = "device"
    """The memory of the device that computes."""
    HOST = "host"
    """The host's memory."""
    DISK = "disk"
    """Model files, and the file that the host spills to."""


@dataclass(frozen=True)
class Shortage:
    """What did not fit, in bytes."""

    tier: Tier
    """Where it did not fit."""
    requested: int
    """What the operation would have held."""
    limit: int
    """The limit or quota it met."""
    used: int
    """What is held already, and cannot leave."""

    def __str__(self) -> str:
        return (
            f"an operation needs {self.requested} bytes on the {self.tier}, "
            f"where {self.limit} are allowed and {self.used} are taken"
        )


class Error(Exception):
    """Why an operation was not done. Nothing was changed by it.

    The base of all errors here. Raise one of its subclasses.
    """

    def at(self, place: str) -> Error:
        """The same error, with `place` before its text. Errors without a text of the
        contract's own (shortages, `Cancelled`, `Failed`) stay as they are."""
        return self

    def to_raw(self, types: Any) -> Any:
        """The contract's error; `types` is that module of the bindings."""
        return types.Error_Other(str(self))


class _Text(Error):
    """An error that is a text."""

    _case = "Error_Other"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def at(self, place: str) -> Error:
        placed = copy(self)
        placed.message = f"{place}: {self.message}"
        placed.args = (placed.message,)
        return placed

    def to_raw(self, types: Any) -> Any:
        return getattr(types, self._case)(self.message)


class InvalidArgument(_Text):
    """An argument is wrong; the text says which, and what is expected."""

    _case = "Error_InvalidArgument"


class AccessDenied(_Text):
    """The plugin was not granted this."""

    _case = "Error_AccessDenied"


class NotFound(_Text):
    """No such model, key, field or file."""

    _case = "Error_NotFound"


class Unsupported(_Text):
    """Right, but not provided by this host."""

    _case = "Error_Unsupported"


class Other(_Text):
    """Anything else."""

    _case = "Error_Other"


class _Shortage(Error):
    """An error that is a shortage."""

    _case = ""

    def __init__(self, shortage: Shortage) -> None:
        super().__init__(str(shortage))
        self.shortage = shortage

    def to_raw(self, types: Any) -> Any:
        short = self.shortage
        tier = types.Tier[short.tier.name]
        raw = types.Shortage(tier, short.requested, short.limit, short.used)
        return getattr(types, self._case)(raw)


class QuotaExceeded(_Shortage):
    """One operation's own inputs, outputs and workspace are over the plugin's quota."""

    _case = "Error_QuotaExceeded"


class OutOfMemory(_Shortage):
    """One operation's own inputs, outputs and workspace are over the machine's limit."""

    _case = "Error_OutOfMemory"


class Cancelled(Error):
    """The run was cancelled; let it pass, so that the node ends at once."""

    def __init__(self) -> None:
        super().__init__("cancelled")

    def to_raw(self, types: Any) -> Any:
        return types.Error_Cancelled()


class Failed(Error):
    """An error of a node's own, for programs and for people."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        """
        Args:
            code: What kind of error it is, for programs, such as `model-not-found`.
            message: What went wrong, as people read it.
            hint: What they can do about it; may be empty.
        """
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def to_raw(self, types: Any) -> Any:
        return types.Error_Failed(types.Failure(self.code, self.message, self.hint))


_TEXTS: dict[str, type[_Text]] = {
    kind._case: kind for kind in (InvalidArgument, AccessDenied, NotFound, Unsupported, Other)
}
_SHORTAGES: dict[str, type[_Shortage]] = {kind._case: kind for kind in (QuotaExceeded, OutOfMemory)}


def from_raw(raw: Any) -> Error:
    """The exception of a contract's error."""
    case = type(raw).__name__
    if case in _TEXTS:
        return _TEXTS[case](raw.value)
    if case in _SHORTAGES:
        short = raw.value
        tier = Tier[short.tier.name]
        return _SHORTAGES[case](Shortage(tier, short.requested, short.limit, short.used))
    if case == "Error_Failed":
        return Failed(raw.value.code, raw.value.message, raw.value.hint)
    if case == "Error_Cancelled":
        return Cancelled()
    return Other(f"an error that this SDK does not know: {raw!r}")
