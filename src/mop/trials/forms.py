"""The form of Try it: the fields that the model's modalities need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from mop.catalog.models import Modality
from mop.errors import ValidationFailedError
from mop.trials.inputs import IMAGES_MAX, TEXT_CHARACTERS_MAX, mop_input
from mop.ui.file_fields import FilesField, FilesInput
from mop.ui.forms import PlainForm, take_errors


class TryForm(PlainForm):
    """One input; `item` is then the MOP input."""

    modality = forms.ChoiceField()
    text = forms.CharField(
        required=False,
        strip=False,
        max_length=TEXT_CHARACTERS_MAX,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off"}),
    )
    images = FilesField(
        required=False, widget=FilesInput(attrs={"accept": "image/jpeg,image/png,image/gif,image/webp,image/bmp"})
    )

    def __init__(self, *args: Any, modalities: Sequence[Modality], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["modality"].choices = [(one.value, one.value) for one in modalities]  # type: ignore[attr-defined]
        if len(modalities) == 1:
            self.fields["modality"].widget = forms.HiddenInput()
            self.fields["modality"].initial = modalities[0].value
        if not set(modalities) & {Modality.TEXT, Modality.IMAGE_AND_TEXT}:
            del self.fields["text"]
        if not set(modalities) & {Modality.IMAGE, Modality.IMAGE_AND_TEXT}:
            del self.fields["images"]
        elif Modality.IMAGE_AND_TEXT in modalities:
            self.fields[
                "images"
            ].help_text = (
                f"Up to {IMAGES_MAX}. The text has a placeholder for each, in order: ##{{image_0}}, ##{{image_1}} …"
            )

    def clean(self) -> dict[str, Any]:
        """The MOP input of what was given."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        images = [image.read() for image in cleaned.get("images") or []]
        try:
            self.item = mop_input(cleaned["modality"], text=cleaned.get("text", ""), images=images)
        except ValidationFailedError as error:
            take_errors(self, error)
        return cleaned
