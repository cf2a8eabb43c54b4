"""The wires whose meaning the contract fixes, as types. A parameter or a result of one of these
types is a port of that wire, and what comes is checked before the node's own code sees it."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, ClassVar, Self

from .dtypes import DType
from .errors import InvalidArgument
from .tensor import Tensor
from .values import Function, Items, Object, Value, kind_of, typed


class _TensorWire(Tensor):
    """A tensor of one rank, `f32`."""

    wire: ClassVar[str]
    _rank: ClassVar[int]
    _expected: ClassVar[str]

    def __init__(self, tensor: Tensor) -> None:
        """The tensor as this wire's.

        Raises:
            InvalidArgument: Its dtype or its number of dimensions is another.
        """
        if tensor.dtype is not DType.F32 or tensor.rank != self._rank:
            raise InvalidArgument(f"expected {self._expected}, got {kind_of(tensor)}")
        super().__init__(tensor.raw.share())

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """A value as this wire's. Raises `InvalidArgument` where it is none."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, Tensor):
            raise InvalidArgument(f"expected {cls._expected}, got {kind_of(value)}")
        return cls(value)


class Image(_TensorWire):
    """A batch of images: a tensor [batch, height, width, channels], `f32`, 0…1."""

    wire = "IMAGE"
    _rank = 4
    _expected = "a f32 tensor [batch, height, width, channels]"


class Mask(_TensorWire):
    """A batch of masks: a tensor [batch, height, width], `f32`, 0…1."""

    wire = "MASK"
    _rank = 3
    _expected = "a f32 tensor [batch, height, width]"


class Wire:
    """An object on a wire of its own. Make your own wires of it: `class Palette(Wire,
    wire="PALETTE")`, with properties that take fields out of `self.object`."""

    wire: ClassVar[str]

    def __init_subclass__(cls, wire: str, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.wire = wire

    def __init__(self, **fields: Value | None) -> None:
        """An object of these fields. A field that is `None` is left out, and `_` in a name
        stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        self.object = Object.create(self.wire, named)

    object: Object
    """The object on the wire, with fields that this type does not know too."""

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """A value as this wire's. Raises `InvalidArgument` where it is none."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, Object) or value.type_name != cls.wire:
            raise InvalidArgument(f"expected a {cls.wire}, got {kind_of(value)}")
        return cls._of(value)

    @classmethod
    def _of(cls, value: Object) -> Self:
        made = cls.__new__(cls)
        made.object = value
        return made

    def to_value(self) -> Value:
        """Its object."""
        return self.object

    def replace(self, **fields: Value | None) -> Self:
        """A copy in which these fields are set, and all others as they were. `_` in a name
        stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        return self._of(self.object.replace(named))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.object.field_names()})"


class Latent(Wire, wire="LATENT"):
    """A batch of latents, and the mask of what a sampler may change in them."""

    def __init__(
        self,
        samples: Tensor,
        noise_mask: Tensor | None = None,
        batch_index: Iterable[int] | None = None,
    ) -> None:
        """
        Args:
            samples: The latents, [batch, channels, h, w], as the VAE has them.
            noise_mask: 1 where a sampler works, 0 where it must not.
            batch_index: Whose noise of a batch each latent gets.
        Raises:
            InvalidArgument: The samples have not four dimensions.
        """
        if samples.rank != 4:
            raise InvalidArgument(
                f"expected latents [batch, channels, h, w], got {kind_of(samples)}"
            )
        index = None if batch_index is None else Items.create(batch_index)
        super().__init__(samples=samples, noise_mask=noise_mask, batch_index=index)

    @property
    def samples(self) -> Tensor:
        """The latents, [batch, channels, h, w]."""
        return self.object.get("samples", Tensor)

    @property
    def noise_mask(self) -> Tensor | None:
        """1 where a sampler works, 0 where it must not."""
        return self.object.find("noise-mask", Tensor)

    @property
    def batch_index(self) -> list[int] | None:
        """Whose noise of a batch each latent gets."""
        items = self.object.find("batch-index", Items)
        return None if items is None else items.to_list(int)


class Entry(Wire, wire="CONDITIONING_ENTRY"):
    """One embedding of a `Conditioning`."""

    def __init__(self, embedding: Tensor, pooled: Tensor | None = None) -> None:
        """
        Args:
            embedding: [batch, tokens, width].
            pooled: What its encoder pooled it to, if it does.
        """
        super().__init__(embedding=embedding, pooled=pooled)

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """An object as an entry, whatever its type is called."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, Object):
            raise InvalidArgument(f"expected an object, got {kind_of(value)}")
        return cls._of(value)

    @property
    def embedding(self) -> Tensor:
        """The embedding, [batch, tokens, width]."""
        return self.object.get("embedding", Tensor)

    @property
    def pooled(self) -> Tensor | None:
        """The pooled embedding, if there is one."""
        return self.object.find("pooled", Tensor)


class Conditioning(Wire, wire="CONDITIONING"):
    """What steers a model: one or more embeddings."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """A conditioning of these embeddings."""
        super().__init__(entries=Items.create(entries))

    @property
    def entries(self) -> list[Entry]:
        """Its embeddings, in order."""
        items = self.object.get("entries", Items)
        try:
            return items.to_list(Entry)
        except InvalidArgument as error:
            raise error.at("CONDITIONING: `entries`") from None


class Prediction(StrEnum):
    """What a denoiser predicts."""

    EPSILON = "epsilon"
    """The noise (Ho et al. 2020)."""
    V = "v"
    """The velocity √ᾱ·ε − √(1−ᾱ)·x₀ (Salimans & Ho 2022)."""
    FLOW = "flow"
    """The flow from the noise to the image (Lipman et al. 2023)."""


class Model(Wire, wire="MODEL"):
    """A denoiser, and what a sampler must know of it."""

    def __init__(
        self,
        denoise: Function,
        prediction: Prediction,
        alphas: Tensor,
        latent_channels: int,
        latent_scale: float = 1.0,
        latent_shift: float = 0.0,
    ) -> None:
        """
        Args:
            denoise: `latent` tensor [b, c, h, w], `timestep` number, `conditioning` tensor
                [b, tokens, width], `pooled` tensor (optional) → `prediction` tensor [b, c, h, w].
            prediction: What `denoise` predicts.
            alphas: [steps] `f64`: the cumulative product of the noise schedule, ᾱ of Ho et al.
            latent_channels: Channels of a latent.
            latent_scale: A sampler's latent = (the VAE's latent − shift) · scale.
            latent_shift: See `latent_scale`.
        Raises:
            InvalidArgument: `alphas` has not one dimension.
        """
        if alphas.rank != 1:
            raise InvalidArgument(f"expected alphas [steps], got {kind_of(alphas)}")
        super().__init__(
            denoise=denoise,
            prediction=prediction,
            alphas=alphas,
            latent_channels=latent_channels,
            latent_scale=float(latent_scale),
            latent_shift=float(latent_shift),
        )

    def denoise(
        self,
        latent: Tensor,
        timestep: float,
        conditioning: Tensor,
        pooled: Tensor | None = None,
    ) -> Tensor:
        """What the model predicts for a latent [b, c, h, w] at a timestep, under a conditioning
        [b, tokens, width] and, where the model takes it, a pooled one."""
        results = self.denoiser(
            latent=latent, timestep=float(timestep), conditioning=conditioning, pooled=pooled
        )
        return _result(results, "prediction", Tensor)

    @property
    def denoiser(self) -> Function:
        """The `denoise` function, to wrap it in another."""
        return self.object.get("denoise", Function)

    @property
    def prediction(self) -> Prediction:
        """What the model predicts."""
        return self.object.get("prediction", Prediction)

    @property
    def alphas(self) -> Tensor:
        """[steps]: the cumulative product of the noise schedule, ᾱ of Ho et al. 2020."""
        return self.object.get("alphas", Tensor)

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""
        return self.object.get("latent-channels", int)

    @property
    def latent_scale(self) -> float:
        """A sampler's latent = (the VAE's latent − shift) · scale."""
        return self.object.get("latent-scale", float)

    @property
    def latent_shift(self) -> float:
        """See `latent_scale`."""
        return self.object.get("latent-shift", float)


class Clip(Wire, wire="CLIP"):
    """A text encoder."""

    def __init__(self, encode: Function) -> None:
        """A text encoder of this function: `text` text → `conditioning` object."""
        super().__init__(encode=encode)

    def encode(self, text: str) -> Conditioning:
        """The conditioning of a text."""
        results = self.object.get("encode", Function)(text=text)
        return _result(results, "conditioning", Conditioning)


class Vae(Wire, wire="VAE"):
    """The autoencoder between images and latents."""

    def __init__(
        self,
        encode: Function,
        decode: Function,
        latent_scale: float = 1.0,
        latent_shift: float = 0.0,
        downscale: int = 8,
    ) -> None:
        """
        Args:
            encode: `image` tensor [b, h, w, 3], −1…1 → `latent` tensor [b, c, h', w'].
            decode: `latent` tensor [b, c, h', w'] → `image` tensor [b, h, w, 3], −1…1.
            latent_scale: A sampler's latent = (the VAE's latent − shift) · scale.
            latent_shift: See `latent_scale`.
            downscale: Pixels along a side of one latent element.
        """
        super().__init__(
            encode=encode,
            decode=decode,
            latent_scale=float(latent_scale),
            latent_shift=float(latent_shift),
            downscale=downscale,
        )

    def encode(self, image: Tensor) -> Tensor:
        """The latent [b, c, h', w'], as the VAE has it, of an image [b, h, w, 3] in −1…1."""
        results = self.object.get("encode", Function)(image=image)
        return _result(results, "latent", Tensor)

    def decode(self, latent: Tensor) -> Tensor:
        """The image [b, h, w, 3] in −1…1 of a latent [b, c, h', w'] as the VAE has it."""
        results = self.object.get("decode", Function)(latent=latent)
        return _result(results, "image", Tensor)

    @property
    def latent_scale(self) -> float:
        """A sampler's latent = (the VAE's latent − shift) · scale."""
        return self.object.get("latent-scale", float)

    @property
    def latent_shift(self) -> float:
        """See `latent_scale`."""
        return self.object.get("latent-shift", float)

    @property
    def downscale(self) -> int:
        """Pixels along a side of one latent element."""
        return self.object.get("downscale", int)


def _result(results: dict[str, Any], name: str, kind: Any) -> Any:
    if name not in results:
        raise InvalidArgument(
            f"the function gives no `{name}`, but {', '.join(results) or 'nothing'}"
        )
    return typed(results[name], kind, f"`{name}`")
