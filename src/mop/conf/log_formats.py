"""How records of the log are written: a line for people, or one JSON object a line for programs that collect logs."""

from __future__ import annotations

import datetime as dt
import json
import logging
from enum import StrEnum

_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LogFormat(StrEnum):
    """The value of MOP_LOG_FORMAT."""

    LINE = "line"
    JSON = "json"


class JsonFormatter(logging.Formatter):
    """One object a record: `time` (UTC), `level`, `logger`, `message`, `process`, `exception`, and what the call added.

    A message of several lines stays one line of the log, so that no text of a stranger passes for a record.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        found: dict[str, object] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        found |= {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        if record.exc_info:
            found["exception"] = self.formatException(record.exc_info)
        return json.dumps(found, ensure_ascii=False, default=str)


def read_log_format(text: str) -> LogFormat:
    """The text of the setting.

    Raises:
        ValueError: it is none of the formats.
    """
    try:
        return LogFormat(text.strip().lower())
    except ValueError:
        raise ValueError(f"{text!r} is none of {', '.join(LogFormat)}") from None
