"""The nodes of this plugin. Nodes in other files of this folder belong to it where they are
imported here."""

from typing import Annotated

from berth import Image, Input, node


@node(category="image")
def negative(
    image: Image,
    strength: Annotated[float, Input(min=0.0, max=1.0, step=0.01)] = 1.0,
) -> Image:
    """Turns images into their negatives.

    Args:
        image: The images to turn.
        strength: 0 leaves them as they are, 1 turns black to white.

    Returns:
        The negatives.
    """
    return Image(image * (1 - strength) + (1 - image) * strength)
