"""Inputs, objects, lists, functions, wires, models, errors."""

from __future__ import annotations

from typing import Annotated, Literal

from berth import (
    AccessDenied,
    Cancelled,
    Clip,
    Conditioning,
    DType,
    Entry,
    Error,
    ExtraPngInfo,
    Failed,
    Function,
    Image,
    Input,
    InvalidArgument,
    Items,
    Latent,
    Model,
    ModelFile,
    NotFound,
    Object,
    Other,
    Output,
    OutOfMemory,
    Prediction,
    Prompt,
    QuotaExceeded,
    Shortage,
    Tensor,
    Tier,
    UniqueId,
    Unsupported,
    Vae,
    context,
    function,
    node,
)
from checks import fails, near, same

LOWEST, HIGHEST = -(2**63), 2**64 - 1


@node(category="test", output_node=True)
def inputs(
    flag: bool,
    seed: Annotated[int, Input(min=0, max=HIGHEST)],
    low: Annotated[int, Input(min=LOWEST)],
    x: float,
    words: Annotated[str, Input(multiline=True)],
    mode: Literal["one", "two"],
    model: Annotated[str, Input(models="upscale_models")],
    picture: Annotated[str, Input(images=True)],
    image: Image,
    anything: Annotated[Tensor, Input(wire="*")],
    id: UniqueId,
    workflow: Prompt,
    info: ExtraPngInfo | None,
    lazy: Annotated[str | None, Input(lazy=True)] = None,
    left_out: float | None = None,
) -> tuple[int, Annotated[Tensor, Output("same", passes="anything")]]:
    """Takes one of each."""
    same((flag, seed, low, x, words, mode), (True, HIGHEST, LOWEST, 0.5, "ä\nb", "two"))
    same((model, picture), ("tiny-upscaler.safetensors", "x.png"))
    same((image.rank, id, "Inputs" in workflow, lazy, left_out), (4, "30", True, "late", None))
    return seed, anything


@inputs.needs
def _(lazy: str | None) -> list[str]:
    return ["lazy"] if lazy is None else []


@inputs.fingerprint
def _(seed: int | None) -> str:
    return f"seed {seed}"


@inputs.validate
def _(words: str | None) -> str | None:
    return "no words" if words == "" else None


@function(result="prediction")
def denoise(
    latent: Tensor, timestep: float, conditioning: Tensor, pooled: Tensor | None = None, *, by: float
) -> Tensor:
    return latent * (by * timestep) + (0 if pooled is None else 1)


@function(result="conditioning")
def encode_text(text: str) -> Conditioning:
    return Conditioning([Entry(Tensor.full([1, 2, 3], len(text)), Tensor.ones([1, 3]))])


@function(result="latent")
def encode(image: Tensor) -> Tensor:
    return image.permute([0, 3, 1, 2])


@function(result="image")
def decode(latent: Tensor) -> Tensor:
    return latent.permute([0, 2, 3, 1])


SHORTAGE = Shortage(Tier.HOST, 1, 2, 3)
KINDS: list[Error] = [
    *(kind("said") for kind in (InvalidArgument, AccessDenied, NotFound, Unsupported, Other)),
    QuotaExceeded(SHORTAGE),
    OutOfMemory(SHORTAGE),
    Cancelled(),
    Failed("code", "said", "hint"),
]


@function(result="nothing")
def fail(kind: int) -> int:
    if kind == len(KINDS):
        raise ValueError("plain")
    raise KINDS[kind]


@node(category="test")
def wires() -> tuple[Model, Clip, Vae, Latent, Conditioning, str]:
    """Makes objects and wires."""
    x = Tensor.of([1, 2])
    items = Items.create([1, "two", x, HIGHEST, LOWEST])
    same((len(items), items[1], items[-1], items.get(3, int)), (5, "two", LOWEST, HIGHEST))
    fails(InvalidArgument, "", lambda: items.get(1, int))
    fields = {"b": True, "n": 2.5, "t": "", "y": b"\1\2", "x": x, "l": items, "u": HIGHEST}
    made = Object.create("THING", fields).replace({"n": 3.5})
    same((made.type_name, sorted(made.field_names())), ("THING", sorted(fields)))
    same((made["b"], made["n"], made["t"], made["y"], made["u"]), (True, 3.5, "", b"\1\2", HIGHEST))
    near(made.get("x", Tensor), 1, 2)
    same((made.find("zz", int), "b" in made, "zz" in made), (None, True, False))
    fails(InvalidArgument, "zz", lambda: made.get("zz", int))
    for kind, error in enumerate(KINDS):
        found = fails(type(error), "", lambda kind=kind: fail.bind()(kind=kind))
        same(vars(found), vars(error))
    fails(Other, "plain", lambda: fail.bind()(kind=len(KINDS)))

    file = ModelFile.open("upscale_models", "tiny-upscaler.safetensors")
    same(file.label in ModelFile.available("upscale_models"), True)
    same(("0.weight" in file, file.info("zz"), file.metadata("zz")), (True, None, None))
    info = file.info("0.weight")
    same(info is not None and info == (DType.F32, file["0.weight"].shape), True)
    same(isinstance(file.metadata_names(), list), True)
    fails(NotFound, "", lambda: file["zz"])
    fails(AccessDenied, "", lambda: ModelFile.open("checkpoints", "tiny-sd-digits.safetensors"))

    fails(InvalidArgument, "expected a f32", lambda: Image(x))
    latent = Latent(x.reshape([1, 2, 1, 1]), noise_mask=Tensor.ones([1, 1, 1]), batch_index=[5])
    same((latent.samples.rank, latent.batch_index), (4, [5]))
    near(latent.replace(noise_mask=Tensor.zeros([1, 1, 1])).noise_mask, 0)
    bound = denoise.bind(by=2.0)
    same(isinstance(bound, Function), True)
    model = Model(bound, Prediction.V, Tensor.ones([3], DType.F64), 4, 0.5, 0.25)
    same((model.prediction, model.latent_channels), (Prediction.V, 4))
    same((model.latent_scale, model.latent_shift, model.alphas.dtype), (0.5, 0.25, DType.F64))
    clip, vae = Clip(encode_text.bind()), Vae(encode.bind(), decode.bind(), 1.0, 2.0, 4)
    same((vae.latent_scale, vae.latent_shift, vae.downscale), (1, 2, 4))
    return model, clip, vae, latent, clip.encode("hello"), "late"


@node(category="test", output_node=True)
def wired(
    model: Model,
    clip: Clip,
    vae: Vae,
    latent: Latent,
    conditioning: Conditioning,
    seed: int,
    same: Annotated[Tensor, Input(wire="*")],
) -> None:
    """Uses what another node made."""
    x = Tensor.of([1, 2])
    near(model.denoise(x, 3, x), 6, 12)
    near(model.denoise(x, 3, x, pooled=x), 7, 13)
    near(clip.encode("abc").entries[0].embedding[0, 0], 3, 3, 3)
    [entry] = conditioning.entries
    near(entry.embedding[0, 0], 5, 5, 5)
    near(entry.pooled, 1, 1, 1)
    shape = vae.decode(vae.encode(Tensor.ones([1, 2, 4, 3]))).shape
    whole = shape == (1, 2, 4, 3) and seed == HIGHEST and same.rank == 3
    context.show_text("wired" if whole and latent.noise_mask is not None else "problems: wired")
