"""The engine's log keeps faults and leaves out what is expected."""

from __future__ import annotations

import logging

import pytest
from dbos import error as engine

from mop.engine.runtime import is_no_cancellation


def record(error: BaseException | None) -> logging.LogRecord:
    found = None if error is None else (type(error), error, None)
    return logging.LogRecord("dbos", logging.ERROR, "_core.py", 1, "Exception encountered", (), found)


@pytest.mark.parametrize(
    "error", [engine.DBOSAwaitedWorkflowCancelledError("work"), engine.DBOSWorkflowCancelledError("work")]
)
def test_cancelled_work_is_not_logged(error: BaseException):
    assert not is_no_cancellation(record(error))


@pytest.mark.parametrize("error", [None, engine.DBOSException("no"), ValueError("no"), OSError(28, "full")])
def test_faults_and_plain_lines_are_logged(error: Exception | None):
    assert is_no_cancellation(record(error))
