"""`mop check` as a contributor runs it: a process of its own, no server, real cage, real packages."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from cli.commands import SAMPLES, all_ended, children_of, following, mop, started, watched

# one process for this file, so that its installation is made once
pytestmark = [pytest.mark.sandbox, pytest.mark.index, pytest.mark.xdist_group("cli-check")]

BROKEN, VARIANTS = SAMPLES / "broken", SAMPLES / "variants"
# a model without packages of its own: what the large ones take is for the tests of onboarding
GOOD = str(VARIANTS / "helper-modules")
TASK = str(VARIANTS / "categorical.task.json")
SAMPLE = f"@{BROKEN / 'sample.json'}"
KEYS = {
    "status",
    "error",
    "message",
    "hint",
    "warnings",
    "stages",
    "findings",
    "sandbox_level",
    "python",
    "artifact_digest",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One installation for this file, so that an environment is built once."""
    return tmp_path_factory.mktemp("check")


def test_a_good_folder_with_its_task_is_verified_and_0(home: Path):
    result = mop("check", GOOD, "--task", TASK, "--sample", SAMPLE, "--json", home=home)
    assert result.code == 0, result.err
    report = result.json
    assert set(report) == KEYS
    assert (report["status"], report["error"], report["warnings"]) == ("verified", None, [])
    # nobody audits packages in tests, and that is said
    assert [(one["scanner"], one["rule"], one["action"]) for one in report["findings"]] == [
        ("dependencies", "not-audited", "note")
    ]
    assert [stage["name"] for stage in report["stages"]] == [
        "snapshot",
        "scan",
        "environment",
        "endpoint",
        "deployment",
        "contract",
    ]
    assert {stage["result"] for stage in report["stages"]} == {"passed"}
    assert all(stage["seconds"] >= 0 for stage in report["stages"])
    assert report["sandbox_level"] in {1, 2}
    assert report["python"].startswith("3.")
    assert len(report["artifact_digest"]) == 64
    assert "environment" in result.err


def test_without_a_task_it_is_undecided_and_3(home: Path):
    result = mop("check", GOOD, "--json", home=home)
    assert (result.code, result.json["status"], result.json["error"]) == (3, "undecided", None)
    text = mop("check", GOOD, home=home)
    assert text.code == 3
    assert text.out.startswith("undecided\n")
    assert "--task" in text.out


def test_a_folder_without_inference_is_a_structure_error_and_1(home: Path):
    result = mop("check", str(BROKEN / "no-inference-file"), "--json", home=home)
    assert (result.code, result.json["status"], result.json["error"]) == (1, "verifyFailed", "ModelStructureError")
    assert "inference.py" in result.json["message"]
    assert result.json["hint"]
    assert {stage["name"]: stage["result"] for stage in result.json["stages"]} == {
        "snapshot": "passed",
        "scan": "failed",
        "environment": "skipped",
        "endpoint": "skipped",
        "deployment": "skipped",
        "contract": "skipped",
    }


def test_code_in_a_checkpoint_is_vulnerable_and_2(home: Path, tmp_path: Path):
    folder = tmp_path / "hostile"
    shutil.copytree(GOOD, folder)
    (folder / "model").mkdir(exist_ok=True)
    (folder / "model" / "weights.bin").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    result = mop("check", str(folder), "--task", TASK, "--json", home=home)
    report = result.json
    assert (result.code, report["status"], report["error"]) == (2, "vulnerable", "BlockingFindingsError")
    assert "model/weights.bin" in report["message"]
    assert report["hint"]
    blocking = [one for one in report["findings"] if one["action"] == "block"]
    assert [(one["path"], one["scanner"]) for one in blocking] == [("model/weights.bin", "model-files")]
    assert {stage["name"]: stage["result"] for stage in report["stages"]}["environment"] == "skipped"


def test_a_raising_model_is_named_with_its_line_and_shown_with_its_log(home: Path):
    sample = f"@{BROKEN / 'sample.json'}"
    task = str(BROKEN / "categorical.task.json")
    result = mop("check", str(BROKEN / "init-raises"), "--task", task, "--sample", sample, home=home)
    assert result.code == 1
    assert result.out.startswith("verifyFailed\nUserScriptException: ")
    assert "hint: " in result.out
    assert "deployment" in result.err


def test_the_label_rules_decide_with_the_task(home: Path):
    task = str(BROKEN / "ordinal.task.json")
    result = mop("check", str(BROKEN / "ordinal-labels-with-a-gap"), "--task", task, "--json", home=home)
    assert (result.code, result.json["error"]) == (1, "OrdinalTaskLabelValueError")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "not JSON"),
        ("[]", "at least one task"),
        ('[{"taxonomy": "Hate"}]', "customized_name"),
    ],
)
def test_a_wrong_task_file_is_64_before_anything_runs(home: Path, tmp_path: Path, text: str, message: str):
    task = tmp_path / "task.json"
    task.write_text(text)
    result = mop("check", GOOD, "--task", str(task), "--json", home=home)
    assert (result.code, result.out) == (64, "")
    assert message in result.err


def test_an_interpreter_that_is_none_is_64(home: Path):
    result = mop("check", GOOD, "--python", "/bin/true", home=home)
    assert (result.code, result.out) == (64, "")
    assert "--python" in result.err


def test_a_wrong_setting_is_64_and_named(home: Path):
    result = mop("check", GOOD, home=home, MOP_INIT_DEADLINE="soon")
    assert result.code == 64
    assert "MOP_INIT_DEADLINE" in result.err


def test_an_interrupt_ends_it_with_130_and_leaves_no_process(home: Path, tmp_path: Path):
    # a model whose init never ends holds the check in the deployment
    folder = str(BROKEN / "init-never-ends")
    with started("check", folder, "--verbose", "--json", home=tmp_path) as process:
        with following(tmp_path / "stderr") as lines:
            assert any(line.startswith("endpoint  ") for line in lines)
        with watched(*children_of(process.pid)) as children:
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=100)
            assert (process.returncode, out) == (130, "")
            assert all_ended(children)
