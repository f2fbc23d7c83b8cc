"""Files of datasets that tests make."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from typing import Any

from PIL import Image

from mop.datasets.reading import DatasetSpec, FaultKind, LabelColumn, LabelType, Limits, Modality, Report, verify

Cells = Iterable[str | bytes]


def row(*cells: str | bytes) -> bytes:
    """One line of cells as they are given, quotes included."""
    return b"\t".join(cell.encode() if isinstance(cell, str) else cell for cell in cells) + b"\n"


def table(*rows: Cells) -> bytes:
    """A file of such lines."""
    return b"".join(row(*cells) for cells in rows)


def binary(header: str = "label", **more: Any) -> LabelColumn:
    return LabelColumn(header=header, label_type=LabelType.BINARY, **more)


def text_spec(*labels: LabelColumn, **more: Any) -> DatasetSpec:
    return DatasetSpec(modality=Modality.TEXT, labels=labels or (binary(),), **more)


def image_spec(**limits: int) -> DatasetSpec:
    return DatasetSpec(modality=Modality.IMAGE, labels=(binary(),), limits=Limits(**limits))


def both_spec(**limits: int) -> DatasetSpec:
    return DatasetSpec(modality=Modality.IMAGE_AND_TEXT, labels=(binary(),), limits=Limits(**limits))


def read(data: bytes, spec: DatasetSpec, **options: Any) -> Report:
    """Verify a file; the exact reader alone comes to the same result."""
    report = verify(lambda: io.BytesIO(data), spec, seed=1, **options)
    assert verify(lambda: io.BytesIO(data), spec, seed=1, fast=False, **options) == report
    return report


Place = tuple[FaultKind, str | None, tuple[int, ...]]


def places(report: Report) -> set[Place]:
    """Kind, column and rows of every fault."""
    return {(fault.kind, fault.column, fault.rows) for fault in report.faults}


def picture(width: int = 8, height: int = 6, form: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    """An image file with a little of a picture in it."""
    image = Image.linear_gradient("L").resize((width, height)).convert(mode)
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


IMAGE_HEADER = ("base64_image", "file_name", "image_width_pixels", "image_height_pixels", "label")


def image_row(data: bytes | str, *, name: str = "a.png", width: object = 8, height: object = 6, label: str) -> Cells:
    """A row of an Image file; the image as bytes, or as what stands in the cell."""
    return (data if isinstance(data, str) else in_base64(data), name, str(width), str(height), label)
