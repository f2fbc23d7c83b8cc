"""The form of a golden set: its name and its file."""

from __future__ import annotations

from typing import Any

from django import forms

from mop.catalog.models import Task
from mop.errors import ValidationFailedError
from mop.golden_sets.models import NAME, NAME_MAX
from mop.golden_sets.reading import FILE_BYTES_MAX, GivenRow, form_of, read_rows
from mop.ui.forms import PlainForm


class UploadForm(PlainForm):
    """A file of a golden set; `rows` are then what it holds."""

    file = forms.FileField(
        widget=forms.FileInput(attrs={"accept": ".csv,.jsonl"}),
        help_text=f"CSV with a header, or JSONL; at most {FILE_BYTES_MAX // 1024**2} MiB.",
    )

    def __init__(self, *args: Any, task: Task, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.task = task
        self.rows: list[GivenRow] = []

    def clean_file(self) -> Any:
        """Read the rows; faults name row and column."""
        given = self.cleaned_data["file"]
        try:
            self.rows = read_rows(self.task, given.read().decode(), form=form_of(given.name))
        except UnicodeDecodeError as error:
            raise forms.ValidationError("The file is not UTF-8.") from error
        except ValidationFailedError as error:
            raise forms.ValidationError(error.fields["content"]) from error
        return given


class GoldenSetForm(UploadForm):
    """A new golden set."""

    name = forms.CharField(
        max_length=NAME_MAX,
        validators=[NAME],
        help_text="Letters, digits, ., _ and -. The name of an existing golden set adds its next version.",
    )
    field_order = ("name", "file")
