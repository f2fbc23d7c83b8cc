"""Files of golden sets: what is read, and what a faulty one is told."""

from __future__ import annotations

import base64
import io
import json

import pytest
from PIL import Image

from mop.catalog.models import Task
from mop.errors import ValidationFailedError
from mop.golden_sets.reading import FAULTS_MAX, FILE_BYTES_MAX, ROWS_MAX, FileFormat, form_of, read_rows

CSV, JSONL = FileFormat.CSV, FileFormat.JSONL
SECRET = "nobody may read this"


def task_of(modality: str) -> Task:
    return Task(name="t", modality=modality, labels=["0", "1"])


def image() -> str:
    file = io.BytesIO()
    Image.new("RGB", (3, 2)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def read(modality: str, content: str, form: FileFormat = CSV) -> list[tuple[object, str]]:
    return [(json.loads(row.content), row.expected) for row in read_rows(task_of(modality), content, form=form)]


def faults(modality: str, content: str, form: FileFormat = CSV) -> list[str]:
    with pytest.raises(ValidationFailedError) as caught:
        read(modality, content, form)
    assert SECRET not in str(caught.value.to_dict())
    return caught.value.fields["content"]


def test_text_rows_of_csv_keep_quotes_line_breaks_and_the_order_of_columns():
    content = '\ufefftext,label\r\n"a ""quoted"" text,\nin two lines",1\r\nplain,0\r\n'
    assert read("Text", content) == [({"text": 'a "quoted" text,\nin two lines'}, "1"), ({"text": "plain"}, "0")]


def test_text_rows_of_jsonl_take_labels_as_texts_or_numbers():
    content = '{"label": "1", "text": "a\\u2028b"}\n\n{"text": "c", "label": 0}\n'
    assert read("Text", content, JSONL) == [({"text": "a\u2028b"}, "1"), ({"text": "c"}, "0")]


def test_images_get_their_size_from_the_file():
    wanted = [({"image": image(), "width": 3, "height": 2}, "1")]
    assert read("Image", f"label,image\n1,{image()}\n") == wanted
    assert read("Image", json.dumps({"label": "1", "image": image()}), JSONL) == wanted


def test_text_with_images_has_a_column_for_each_or_a_list():
    text = "see ##{image_0}"
    wanted = [({"text": text, "images": [image()]}, "1"), ({"text": "no image", "images": []}, "0")]
    content = f"label,text,image_0,image_1\n1,{text},{image()},\n0,no image,,\n"
    assert read("ImageAndText", content) == wanted
    lines = [{"label": "1", "text": text, "images": [image()]}, {"label": "0", "text": "no image"}]
    assert read("ImageAndText", "\n".join(map(json.dumps, lines)), JSONL) == wanted


def test_faults_name_rows_and_quote_nothing():
    content = f"label,text\n7,{SECRET}\n0,fine\n1,\n1,{SECRET},{SECRET}\n"
    assert faults("Text", content) == [
        "Row 1: label is none of 0, 1.",
        "Row 3: text: The text is missing or empty.",
        "Row 4: It has 3 cells; the first line names 2 columns.",
    ]


def test_faults_of_jsonl_name_rows():
    lines = [SECRET, f'["{SECRET}"]', '{"label": "0", "text": 5}', f'{{"label": "0", "text": "a", "{SECRET}": 1}}']
    assert faults("Text", "\n".join(lines), JSONL) == [
        "Row 1: It is not JSON.",
        "Row 2: It is not a JSON object.",
        "Row 3: text: The text is missing or empty.",
        "Row 4: content: The content of a case of modality Text has text and nothing else.",
    ]


@pytest.mark.parametrize(
    ("modality", "content", "told"),
    [
        ("Text", "", "The first line names the columns of a Text task: label and text."),
        ("Text", "label\ttext\n", "The first line names the columns of a Text task: label and text."),
        ("ImageAndText", "label,text,image_1\n", "label and text, and image_0, image_1 … where there are images."),
        ("Text", "label,text\n", "The file has no row."),
        ("Text", 'label,text\n0,"open\n', "The file is not CSV near line 2"),
        ("Image", f"label,image\n1,{SECRET}\n", "Row 1: image: The image is not valid base64."),
        ("Image", "label,image\n1,aGVsbG8=\n", "Row 1: image: This is no image of a known format"),
        (
            "ImageAndText",
            f"label,text,image_0\n1,{SECRET},{image()}\n",
            "Row 1: text: The text names 0 images",
        ),
        ("ImageAndText", f"label,text,image_0,image_1\n1,a,,{image()}\n", "empty before one that is not"),
    ],
)
def test_what_is_no_golden_set_is_told(modality: str, content: str, told: str):
    assert told in faults(modality, content)[0]


def test_large_files_and_many_faults_end_early():
    assert "more than 4 MiB" in faults("Text", "label,text\n0," + "x" * FILE_BYTES_MAX)[0]
    assert f"more than {ROWS_MAX:,} rows" in faults("Text", "label,text\n" + "0,a\n" * (ROWS_MAX + 1))[0]
    assert len(faults("Text", "label,text\n" + "7,a\n" * 100)) == FAULTS_MAX


def test_the_name_of_a_file_tells_its_format():
    assert [form_of("a.CSV"), form_of("b.jsonl")] == [CSV, JSONL]
    with pytest.raises(ValidationFailedError):
        form_of("rows.xlsx")
