"""What the model sees of an image: four numbers, each 0 to 1."""

import base64
import io

import numpy as np
from PIL import Image

SIDE = 64


def pixels_of(data):
    """Decode base64 into RGB pixels of a small fixed size, shape (64, 64, 3), values 0 to 1."""
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        return np.asarray(small, dtype=np.float64) / 255


def features_of(pixels):
    """Share of blood-red pixels, their mean saturation, mean brightness, contrast; shape (4,)."""
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    saturation = pixels.max(axis=2) - pixels.min(axis=2)
    bloody = (red > 0.3) & (red > 2 * green) & (red > 2 * blue)
    share = bloody.mean()
    depth = saturation[bloody].mean() if share else 0.0
    brightness = pixels.mean(axis=2)
    return np.array([share, depth, brightness.mean(), brightness.std()])
