"""Model files, by label: what they hold is known at once, and read when it is first used."""

from __future__ import annotations

from typing import Any

from . import dtypes
from ._host import ask, models
from .arguments import text
from .dtypes import DType
from .tensor import Tensor


class ModelFile:
    """An open model file, by handle."""

    def __init__(self, raw: Any) -> None:
        """For the SDK: a file of the bindings' handle. See `open`."""
        self.raw = raw

    @staticmethod
    def open(category: str, label: str) -> ModelFile:
        """Opens a label of a category, such as `checkpoints`, `vae`, `clip` or `loras`. Reads the
        file's header, and no weight.

        Raises:
            NotFound: There is no such file.
            AccessDenied: The plugin was not granted it.
            InvalidArgument: The file is no model.
        """
        return ModelFile(ask(models.Model.open, text(category), text(label)))

    @staticmethod
    def available(category: str) -> list[str]:
        """The labels of a category that this plugin may open, sorted."""
        return list(ask(models.available, text(category)))

    @property
    def label(self) -> str:
        """The label it was opened by."""
        label: str = self.raw.label()
        return label

    def metadata(self, name: str) -> str | None:
        """One entry of the file's metadata."""
        entry: str | None = self.raw.metadata(text(name))
        return entry

    def metadata_names(self) -> list[str]:
        """The names of the file's metadata."""
        return list(self.raw.metadata_names())

    def keys(self) -> list[str]:
        """The keys of all tensors, sorted."""
        return list(self.raw.keys())

    def info(self, key: str) -> tuple[DType, tuple[int, ...]] | None:
        """Element type and shape of one tensor, without reading it."""
        info = self.raw.info(text(key))
        return info and (dtypes.from_raw(info.dtype), tuple(info.shape))

    def weight(self, key: str) -> Tensor:
        """The tensor of a key, by handle. Nothing is read yet.

        Raises:
            NotFound: There is no such key.
        """
        return Tensor(ask(self.raw.weight, text(key)))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.raw.info(key) is not None

    def __getitem__(self, key: str) -> Tensor:
        """As `weight`."""
        return self.weight(key)

    def __repr__(self) -> str:
        return f"ModelFile({self.label!r})"
