"""Where bytes are, and moving them, which takes a right.

`from berth import memory` needs `[requests] memory = true` in plugin.toml, without which the
component cannot be built; and such a plugin is only loaded where the operator granted it.
What an object *reaches* are the tensors in it and what its functions need. Nothing here
changes a result, only how soon it is there.
"""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import _host
from ._host import ask, types
from .arguments import offset, text
from .errors import Tier
from .values import Object
from .wires import Wire

_memory: Any

try:
    from wit_world.imports import memory as _memory  # type: ignore
except ModuleNotFoundError:
    _memory = _host._Absent("memory")
except ImportError:
    raise ImportError(
        "`berth.memory` needs the right: put `[requests]` and `memory = true` into plugin.toml"
    ) from None


@dataclass(frozen=True)
class TierUse:
    """Use and limit of one tier, in bytes."""

    used: int
    """In use now; on disk, what is spilled."""
    peak: int
    """The most that was ever in use."""
    limit: int | None
    """The most that may be in use, if anything limits it."""


@dataclass(frozen=True)
class PluginUse:
    """What one plugin holds, in bytes."""

    plugin: str
    """Its name."""
    charge: Mapping[Tier, int]
    """What it is charged on each tier."""
    quota: Mapping[Tier, int | None]
    """The most that it may hold on each tier."""
    share: int
    """What it keeps of the device while others need room."""


@dataclass(frozen=True)
class Statistics:
    """How things stand at one moment."""

    tiers: Mapping[Tier, TierUse]
    """Use and limit of each tier."""
    plugins: list[PluginUse]
    """What each plugin holds."""
    cached_results: int
    """Bytes of cached results that no running node needs, on any tier."""
    dram_cache: int
    """Bytes in the host's memory of what the DRAM cache reaches."""


def _per_tier(raw: Any) -> dict[Tier, Any]:
    return {Tier.DEVICE: raw.device, Tier.HOST: raw.host, Tier.DISK: raw.disk}


def _raw(target: Object | Wire) -> Any:
    return target.object.raw if isinstance(target, Wire) else target.raw


def _tier(tier: Tier) -> Any:
    return types.Tier[Tier(tier).name]


def snapshot() -> Statistics:
    """How things stand."""
    raw = ask(_memory.snapshot)
    tiers = {Tier[one.tier.name]: TierUse(one.used, one.peak, one.limit) for one in raw.tiers}
    plugins = [
        PluginUse(one.plugin, _per_tier(one.charge), _per_tier(one.quota), one.share)
        for one in raw.plugins
    ]
    return Statistics(tiers, plugins, raw.cached_results, raw.dram_cache)


def offload(target: Object | Wire) -> int:
    """What the object reaches leaves the device now and stays in the host's memory. What a running
    operation uses stays where it is. Gives the bytes that left.

    Raises:
        OutOfMemory, QuotaExceeded: The host's memory has no room.
    """
    return ask(_memory.offload, _raw(target))


def restore(target: Object | Wire) -> int:
    """What the object reaches comes to the device, as far as there is room without anything else
    leaving. Gives the bytes that came."""
    return ask(_memory.restore, _raw(target))


def remember(target: Object | Wire) -> str:
    """Keeps the object in the DRAM cache, beyond this run. Gives its id, which an equal object has
    in every host.

    Raises:
        Other: The cache is full.
    """
    return ask(_memory.remember, _raw(target))


def recall(id: str) -> Object:
    """The object that the DRAM cache keeps under an id.

    Raises:
        NotFound: It keeps none.
    """
    return Object(ask(_memory.recall, text(id)))


def forget(id: str) -> bool:
    """Drops an object from the DRAM cache. Gives whether it was there."""
    return ask(_memory.forget, text(id))


def forget_all() -> int:
    """Drops everything from the DRAM cache. Gives how many objects there were."""
    return ask(_memory.forget_all)


def keep(target: Object | Wire, tier: Tier, keep: bool = True) -> None:
    """Whether what the object reaches, with all weights of its models, leaves a tier only when an
    operation could not run otherwise.

    Raises:
        InvalidArgument: For the disk.
    """
    ask(_memory.keep, _raw(target), _tier(tier), bool(keep))


def keep_nothing() -> None:
    """Ends every `keep`, whoever asked for it."""
    ask(_memory.keep_nothing)


def make_free(tier: Tier, bytes: int) -> int:
    """What no running operation uses leaves a tier until this many bytes are free there, as far as
    it can. Gives the bytes that left.

    Raises:
        InvalidArgument: For the disk.
    """
    return ask(_memory.make_free, _tier(tier), offset(bytes))


def clear_results() -> None:
    """Forgets the results of nodes that were kept for later runs."""
    ask(_memory.clear_results)
