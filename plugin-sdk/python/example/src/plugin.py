"""Two real nodes: a filter, and a small network."""

from typing import Annotated

from berth import Failed, Image, Input, ModelFile, Padding, Tensor, context, node


@node(category="image/filters")
def sharpen(
    image: Image,
    amount: Annotated[float, Input(min=0.0, max=5.0, step=0.01)] = 1.0,
) -> Image:
    """Makes the edges of an image clearer, by what a slight blur takes away.

    Args:
        image: The image to sharpen.
        amount: 0 leaves it as it is.
    """
    channels = image.shape[3]
    x = image.permute([0, 3, 1, 2])
    # Pascal's fifth row, in both directions: the binomial blur.
    row = [1, 4, 6, 4, 1]
    taps = [a * b / 256 for a in row for b in row]
    kernel = Tensor.from_list([1, 1, 5, 5], taps).broadcast([channels, 1, 5, 5])
    padded = x.pad([(0, 0), (0, 0), (2, 2), (2, 2)], Padding.EDGE)
    blurred = padded.conv2d(kernel, groups=channels)
    sharp = x + (x - blurred) * amount
    return Image(sharp.permute([0, 2, 3, 1]).clamp(0, 1))


@node(category="image/upscaling")
def upscale(
    image: Image,
    model_name: Annotated[str, Input(models="upscale_models")],
) -> Image:
    """Enlarges an image by a network of convolutions whose last one gives several pixels for each
    (Shi et al. 2016).

    Args:
        image: The image to enlarge.
        model_name: The network: convolutions `0`, `1`, … with `weight` and `bias`.
    """
    model = ModelFile.open("upscale_models", model_name)
    layers = 0
    while f"{layers}.weight" in model:
        layers += 1
    batch, height, width, channels = image.shape
    x = image.permute([0, 3, 1, 2])
    for i in range(layers):
        weight, bias = model[f"{i}.weight"], model[f"{i}.bias"]
        x = x.conv2d(weight, bias, padding=weight.shape[2] // 2)
        if i + 1 < layers:
            x = x.relu()
        context.progress(i + 1, layers)
    made = x.shape[1]
    factor = next((r for r in range(1, made + 1) if r * r * channels == made), None)
    if factor is None or layers == 0:
        raise Failed(
            "not-an-upscaler",
            f"`{model_name}` is no network that enlarges images of {channels} channels",
            "choose a model with the tensors 0.weight, 0.bias, 1.weight, …",
        )
    pixels = (
        x.reshape([batch, channels, factor, factor, height, width])
        .permute([0, 1, 4, 2, 5, 3])
        .reshape([batch, channels, height * factor, width * factor])
    )
    return Image(pixels.permute([0, 2, 3, 1]).clamp(0, 1))
