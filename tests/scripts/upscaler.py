"""Makes tests/data/models/upscale_models/tiny-upscaler.safetensors.

A sub-pixel convolution network (Shi et al. 2016) of three layers whose weights are set, not trained:
three channels carry the image through, the last layer turns them into the four phases of a bilinear
enlargement, and the other channels carry noise that is small enough not to be seen. So the picture
is right to the eye, and every weight has a part in its bits.
"""

import json
import random
import struct
from pathlib import Path

HIDDEN = 16
FACTOR = 2
noise = random.Random(20)


def layer(outputs, inputs, size, chosen):
    """Weights [outputs, inputs, size, size]: `chosen` where it says so, else noise."""
    return [
        chosen.get((o, i, y, x), noise.gauss(0, 1) * 0.002)
        for o in range(outputs)
        for i in range(inputs)
        for y in range(size)
        for x in range(size)
    ]


def carry(size):
    """Channel i of the outputs is channel i of the inputs, for the image's three channels."""
    middle = size // 2
    return {
        (o, i, y, x): float(o == i and y == middle and x == middle)
        for o in range(3)
        for i in range(HIDDEN)
        for y in range(size)
        for x in range(size)
    }


def phases():
    """Output c·4 + 2·v + h is phase (v, h) of channel c: three quarters of the nearest pixel."""
    taps = {0: (0.25, 0.75, 0.0), 1: (0.0, 0.75, 0.25)}
    return {
        (c * FACTOR**2 + v * FACTOR + h, i, y, x): taps[v][y] * taps[h][x] if i == c else 0.0
        for c in range(3)
        for v in range(FACTOR)
        for h in range(FACTOR)
        for i in range(3)
        for y in range(3)
        for x in range(3)
    }


layers = [
    ((HIDDEN, 3, 5, 5), layer(HIDDEN, 3, 5, carry(5))),
    ((HIDDEN, HIDDEN, 3, 3), layer(HIDDEN, HIDDEN, 3, carry(3))),
    ((3 * FACTOR**2, HIDDEN, 3, 3), layer(3 * FACTOR**2, HIDDEN, 3, phases())),
]
header, data = {}, b""
for index, (shape, weights) in enumerate(layers):
    bias = [noise.gauss(0, 1) * 0.0005 for _ in range(shape[0])]
    for name, dims, values in (("weight", shape, weights), ("bias", shape[:1], bias)):
        end = len(data) + 4 * len(values)
        entry = {"dtype": "F32", "shape": dims, "data_offsets": [len(data), end]}
        header[f"{index}.{name}"] = entry
        data += struct.pack(f"<{len(values)}f", *values)
head = json.dumps(header).encode()
head += b" " * (-len(head) % 8)
path = Path(__file__).parents[1] / "data/models/upscale_models/tiny-upscaler.safetensors"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_bytes(struct.pack("<Q", len(head)) + head + data)
