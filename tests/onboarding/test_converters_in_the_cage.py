"""Converters for Azure AI Content Safety are proved in the cage, by a real request of each modality."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync

from hosting.conftest import MakeJob, built, make_job, root
from mop.hosting.service import revision_service
from mop.onboarding.converters import prove_converters
from support.model_folders import write_model

__all__ = ["built", "make_job", "root"]
pytestmark = [pytest.mark.django_db, pytest.mark.sandbox, pytest.mark.xdist_group("hosting")]

ASKED = """
    def convert_acs_text_request_to_model_inference_input(self, req):
        return {"text": req.text}
"""
ANSWERED = """
    def convert_model_inference_output_to_acs_text_response(self, out):
        from mop_utils.util import AcsTextResponse
        response = AcsTextResponse()
        response.hate.severity_level = LEVEL
        response.hate.harmful_score = 0.5
        return response
"""


def proofs(make_job: MakeJob, folder: Path, converters: str, *modalities: str) -> tuple[Mapping[str, str], list[str]]:
    """What is kept of a model with these converters, and what its log says."""
    script = write_model(folder) / "src" / "inference.py"
    script.write_text(script.read_text() + converters)
    job, lines = make_job(folder), list[str]()

    async def prove() -> Mapping[str, str]:
        async with revision_service(job, log=lines.append) as hosted:
            return await prove_converters(hosted.service, modalities, log=lines.append)

    return async_to_sync(prove)(), lines


def test_converters_that_answer_are_proved_for_their_modality_alone(make_job: MakeJob, tmp_path: Path):
    converters = ASKED + ANSWERED.replace("LEVEL", "7 * out['bad']")
    found, lines = proofs(make_job, tmp_path / "good", converters, "Text", "Image", "Video")
    assert set(found) == {"Text", "Image"}  # Content Safety has no videos
    assert found["Text"] == ""
    assert "convert_acs_image_request_to_model_inference_input" in found["Image"]
    assert "converters for Azure AI Content Safety, Text: they answer" in lines


@pytest.mark.parametrize(
    ("converters", "reason"),
    [
        pytest.param(ASKED + ANSWERED.replace("LEVEL", "8"), "severity_level", id="a level that there is not"),
        pytest.param(
            ASKED.replace('{"text": req.text}', "1 / 0") + ANSWERED.replace("LEVEL", "0"),
            "ZeroDivisionError",
            id="a converter that raises",
        ),
        pytest.param(ASKED, "convert_model_inference_output_to_acs_text_response", id="half of them"),
    ],
)
def test_converters_that_do_not_answer_are_kept_with_the_reason(
    make_job: MakeJob, tmp_path: Path, converters: str, reason: str
):
    found, _ = proofs(make_job, tmp_path / "bad", converters, "Text")
    assert found["Text"].startswith("On the Text input '")
    assert reason in found["Text"]
