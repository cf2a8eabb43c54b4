#!/usr/bin/env python3
"""Makes tests/data/digits/templates.safetensors, by which tests read generated digits.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 safetensors==0.8.0
    python3 tests/scripts/digit_templates.py

The source is scikit-learn's `load_digits` (UCI Optical Recognition of
Handwritten Digits, CC BY 4.0), divided as the demo's model was trained: 1437
digits that it saw, 360 that it did not. A template is a seen digit, drawn as a
picture of 64×64 pixels and reduced to its *coverage map*: how much ink is in
each of 8×8 cells of 6 pixels, around the ink's centre of mass, 0…255. Each is
there twice, turned 5° either way, because handwriting leans. A picture shows
the digit that most of its five nearest templates show, the nearer counting
more. The unseen digits are stored as they are (8×8, 0…16), for a test of the
judge itself.

`read` does what the Rust judge (tests/src/judge.rs) does; the script ends with
a check of it on the unseen digits, drawn with the jitter of the training data.
"""

import pathlib

import numpy as np
from safetensors.numpy import save_file
from scipy import ndimage
from sklearn.datasets import load_digits

TEMPLATES = pathlib.Path(__file__).resolve().parent.parent / "data/digits/templates.safetensors"

SIDE, CELLS, CELL = 64, 8, 6
LEAN = 5.0
NEAREST = 5
COLOURS = {
    "black": (16, 16, 16),
    "white": (244, 244, 244),
    "red": (208, 32, 38),
    "green": (34, 150, 60),
    "blue": (36, 72, 200),
    "yellow": (246, 208, 40),
    "purple": (128, 44, 160),
    "orange": (240, 126, 24),
}


def digits():
    """Seen and unseen digits, each as 8×8 pictures in 0…16 and labels."""
    data = load_digits()
    order = np.random.RandomState(0).permutation(len(data.target))
    pictures, labels = data.images[order].astype(np.uint8), data.target[order].astype(np.uint8)
    return (pictures[360:], labels[360:]), (pictures[:360], labels[:360])


def draw(picture, angle=0.0, size=1.0, shift=(0.0, 0.0), threshold=0.46):
    """The ink of an 8×8 picture in 64×64 pixels, 0…1, with soft edges."""
    turn = np.deg2rad(angle)
    back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) / (6.25 * size)
    offset = np.full(2, 3.5) - back @ (np.full(2, (SIDE - 1) / 2) + shift)
    smooth = ndimage.affine_transform(picture / 16, back, offset, (SIDE, SIDE), order=3)
    ramp = np.clip((smooth - threshold) / 0.32 + 0.5, 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def coverage_map(ink):
    """The ink around its centre of mass, as 64 cells of 0…255."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    window, total = CELLS * CELL, max(ink.sum(), 1e-6)
    centre = [(ink * axis).sum() / total for axis in (rows, columns)]
    top, left = (int(np.floor(middle - window / 2 + 1)) for middle in centre)
    padded = np.pad(ink, SIDE)[SIDE + top :, SIDE + left :][:window, :window]
    cells = padded.reshape(CELLS, CELL, CELLS, CELL).mean((1, 3))
    return np.round(cells.ravel() * 255).astype(np.uint8)


def separate(rgb):
    """Ink colour, background colour and ink coverage (64×64, 0…1) of a picture."""
    pixels = rgb.reshape(-1, 3).astype(np.float32)
    frame = np.ones((SIDE, SIDE), bool)
    frame[2:-2, 2:-2] = False
    background = np.median(pixels[frame.ravel()], 0)
    distance = np.linalg.norm(pixels - background, axis=1)
    ink = np.median(pixels[distance >= np.quantile(distance, 0.93)], 0)
    for _ in range(5):
        inked = np.linalg.norm(pixels - ink, axis=1) < np.linalg.norm(pixels - background, axis=1)
        if not 20 <= inked.sum() <= len(pixels) - 20:
            break
        ink, background = np.median(pixels[inked], 0), np.median(pixels[~inked], 0)
    axis = ink - background
    coverage = np.clip((pixels - background) @ axis / max(axis @ axis, 1e-6), 0, 1)
    return ink, background, coverage.reshape(SIDE, SIDE)


def nearest_colour(colour):
    return min(COLOURS, key=lambda name: np.linalg.norm(colour - np.array(COLOURS[name])))


def nearest_digit(templates, labels, cells):
    distances = ((templates.astype(np.int32) - cells.astype(np.int32)) ** 2).sum(1)
    votes = np.zeros(10)
    for index in np.argsort(distances, kind="stable")[:NEAREST]:
        votes[labels[index]] += 1 / (1 + distances[index])
    return int(votes.argmax())


def read(templates, labels, rgb):
    """What a 64×64 RGB picture shows: digit, name of the ink, name of the background."""
    ink, background, coverage = separate(rgb)
    digit = nearest_digit(templates, labels, coverage_map(coverage))
    return digit, nearest_colour(ink), nearest_colour(background)


def check(templates, labels, pictures, truths):
    """The share of unseen digits, drawn and coloured at random, that is read right."""
    random = np.random.default_rng(3)
    right = 0
    for picture, truth in zip(pictures, truths):
        ink, background = random.choice(list(COLOURS), 2, replace=False)
        mask = draw(
            picture,
            angle=random.uniform(-8, 8),
            size=random.uniform(0.9, 1.08),
            shift=random.uniform(-3, 3, 2),
            threshold=random.uniform(0.38, 0.54),
        )[..., None]
        colours = [np.array(COLOURS[name]) + random.uniform(-8, 8, 3) for name in (ink, background)]
        rgb = mask * colours[0] + (1 - mask) * colours[1]
        rgb = np.clip(rgb + random.normal(0, 4, rgb.shape), 0, 255).round()
        right += read(templates, labels, rgb) == (truth, ink, background)
    return right / len(truths)


def main():
    (seen, seen_digits), (unseen, unseen_digits) = digits()
    templates = np.array([coverage_map(draw(p, lean)) for lean in (-LEAN, LEAN) for p in seen])
    labels = np.tile(seen_digits, 2)
    tensors = {
        "templates": templates,
        "template_digits": labels,
        "unseen": unseen.reshape(-1, 64),
        "unseen_digits": unseen_digits,
    }
    TEMPLATES.parent.mkdir(exist_ok=True)
    source = "scikit-learn load_digits (UCI Optical Recognition of Handwritten Digits), CC BY 4.0"
    save_file(tensors, TEMPLATES, metadata={"source": source})
    print(f"{TEMPLATES}: {TEMPLATES.stat().st_size} bytes")
    share = check(templates, labels, unseen, unseen_digits)
    print(f"digit, ink and background right: {share:.1%} of {len(unseen)} unseen digits")


if __name__ == "__main__":
    main()
