"""Fit samples/image-redness/model/weights.json: `python samples/training/train_image_redness.py` (numpy, pillow).

The training images are drawn: noisy scenes of random colours, half of them with dark red splashes. Plain gradient
descent on the logistic loss, fixed seed, so the file comes out the same.
"""

import json
import sys
from pathlib import Path

import numpy as np

SAMPLE = Path(__file__).resolve().parent.parent / "image-redness"
sys.path.insert(0, str(SAMPLE / "src"))

from features import SIDE, features_of  # noqa: E402 - needs the path

IMAGES = 2_000
STEPS = 4_000
RATE = 1.0
DECAY = 1e-3


def main():
    random = np.random.default_rng(20)
    labels = np.arange(IMAGES) % 2
    features = np.array([features_of(scene(random, bloody=bool(label))) for label in labels])
    weights, bias = fit(features, labels)
    accuracy = ((features @ weights + bias > 0) == labels).mean()
    model = {"weights": [round(float(weight), 6) for weight in weights], "bias": round(float(bias), 6)}
    (SAMPLE / "model" / "weights.json").write_text(json.dumps(model) + "\n", encoding="utf-8")
    sys.stdout.write(f"accuracy on {IMAGES} drawn images: {accuracy:.3f}\n")


def scene(random, *, bloody):
    """Draw three bands of muted colours with noise, and for a bloody one five dark red discs."""
    bands = 0.5 * random.uniform(0, 1, (3, 3)) + 0.5 * random.uniform(0, 1, (3, 1))
    image = np.repeat(bands, [20, 20, SIDE - 40], axis=0)[:, None, :].repeat(SIDE, axis=1)
    if bloody:
        rows, columns = np.mgrid[:SIDE, :SIDE]
        for _ in range(5):
            row, column = random.uniform(0, SIDE, 2)
            disc = (rows - row) ** 2 + (columns - column) ** 2 < random.uniform(4, 14) ** 2
            image[disc] = [random.uniform(0.4, 0.8), *random.uniform(0, 0.1, 2)]
    return np.clip(image + random.normal(0, 0.03, image.shape), 0, 1)


def fit(features, labels):
    weights, bias = np.zeros(features.shape[1]), 0.0
    for _ in range(STEPS):
        error = 1 / (1 + np.exp(-(features @ weights + bias))) - labels
        weights -= RATE * (features.T @ error / len(labels) + DECAY * weights)
        bias -= RATE * error.mean()
    return weights, bias


if __name__ == "__main__":
    main()
