"""What is known of the names of packages."""

from __future__ import annotations

from collections.abc import Mapping

# Names on the public index whose own build only says that another name is meant.
DEPRECATED_NAMES: Mapping[str, str] = {
    "pytorch": "torch",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}

# Modules whose package has another name, by canonical form.
PACKAGES_OF_MODULES: Mapping[str, str] = {
    "attr": "attrs",
    "bio": "biopython",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "fitz": "pymupdf",
    "pil": "pillow",
    "yaml": "pyyaml",
}
