"""The log as JSON: one object a record, whatever stands in it."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from mop.conf.log_formats import JsonFormatter, LogFormat, read_log_format


def record(message: str, *arguments: object, **more: object) -> logging.LogRecord:
    return logging.getLogger("mop.test").makeRecord(
        "mop.test", logging.WARNING, __file__, 1, message, arguments, None, extra=more or None
    )


def test_a_record_is_one_line_with_what_the_call_added():
    line = JsonFormatter().format(
        record("model %s is gone", 'a"\n2026-01-01 CRITICAL mop forged', revision="toxicity v1")
    )
    assert "\n" not in line
    found = json.loads(line)
    assert found["message"] == 'model a"\n2026-01-01 CRITICAL mop forged is gone'
    assert (found["level"], found["logger"], found["revision"]) == ("WARNING", "mop.test", "toxicity v1")
    assert found["time"].endswith("+00:00")
    assert set(found) == {"time", "level", "logger", "message", "process", "revision"}


def test_an_exception_has_its_traceback():
    made = record("it failed")
    try:
        int("no number")
    except ValueError:
        made.exc_info = sys.exc_info()
    found = json.loads(JsonFormatter().format(made))
    assert found["exception"].startswith("Traceback")
    assert found["exception"].endswith("invalid literal for int() with base 10: 'no number'")


def test_the_setting_takes_one_of_the_formats():
    assert read_log_format(" JSON ") is LogFormat.JSON
    with pytest.raises(ValueError, match="'xml' is none of line, json"):
        read_log_format("xml")
