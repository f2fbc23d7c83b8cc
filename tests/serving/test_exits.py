"""What is said about a model process that ended or was late, from its status and the end of its log."""

from __future__ import annotations

import signal

import pytest

from mop.errors import DeploymentCrashedError, SandboxUnavailableError
from mop.serving.exits import DURING_INIT, EXIT_MEMORY, EXIT_SETUP, end_error, late_error

STACK = [
    "Timeout (0:00:04)!",
    "Thread 0x00007f01 (most recent call first):",
    '  File "/usr/lib/python3.11/threading.py", line 327 in wait',
    '  File "/mop/src/inference.py", line 30 in watch',
    "",
    "Thread 0x00007f02 (most recent call first):",
    '  File "/usr/lib/python3.11/socket.py", line 706 in readinto',
    '  File "/mop/src/inference.py", line 12 in init',
    '  File "/mop/src/inference.py", line 40 in <module>',
    '  File "<frozen importlib._bootstrap>", line 241 in _call_with_frames_removed',
    '  File "/mop/model_process.py", line 59 in main',
]


def test_a_late_init_is_told_with_the_newest_line_of_the_main_thread():
    error = late_error(300, lines=STACK)
    assert error.place == "src/inference.py:12"
    assert error.message.startswith("The model was not ready within 300 s (import and init). Last lines of its log:\n")
    assert "model_process" not in error.message
    assert "importlib" not in error.message
    assert "wait there for nothing" in error.hint


def test_a_late_init_without_a_stack_is_told_without_a_line():
    error = late_error(5, lines=[])
    assert (error.message, error.place) == (
        "The model was not ready within 5 s (import and init).",
        "init in src/inference.py",
    )


@pytest.mark.parametrize(
    ("status", "lines", "message", "hint"),
    [
        (41, [], "exited with code 41 during inference. It printed nothing.", "Let the code end no process"),
        (-signal.SIGSEGV, [], "was killed by SIGSEGV", "another version of that library"),
        (128 + signal.SIGABRT, [], "was killed by SIGABRT", "another version of that library"),
        (-signal.SIGKILL, [], "was killed by SIGKILL", "Read the deployment log"),
        (EXIT_MEMORY, ["mop-sandbox: over the memory limit of 64 MiB"], "over its memory limit", "need less memory"),
        (
            EXIT_MEMORY,
            ["mop-sandbox: over the memory limit of 64 MiB with 700 processes"],
            "over its memory limit",
            "Start fewer processes",
        ),
    ],
)
def test_every_end_has_its_own_hint(status: int, lines: list[str], message: str, hint: str):
    error = end_error(status, when="during inference", lines=lines)
    assert isinstance(error, DeploymentCrashedError)
    assert message in error.message
    assert hint in error.hint
    assert error.place is None


def test_a_crash_with_a_stack_has_the_line_of_inference_py():
    error = end_error(-signal.SIGSEGV, when="during inference", lines=["Fatal Python error", *STACK[5:]])
    assert error.place == "src/inference.py:12"


def test_an_end_during_init_is_placed_there():
    assert end_error(1, when=DURING_INIT, lines=["loading"]).place == "init in src/inference.py"


def test_a_cage_that_could_not_be_set_up_is_not_the_models_fault():
    assert isinstance(end_error(EXIT_SETUP, when=DURING_INIT, lines=[]), SandboxUnavailableError)
