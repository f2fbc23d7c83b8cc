"""The one clock that all workers share: the database's."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.functions import Now


class DatabaseClock(Now):
    """The database's time at the moment a row is looked at, not at the start of its transaction or statement."""

    def as_postgresql(self, compiler: Any, connection: Any, **extra_context: Any) -> Any:
        """A statement that waited for a row's lock looks at the row, and the clock, again."""
        return self.as_sql(compiler, connection, template="CLOCK_TIMESTAMP()", **extra_context)


def from_now(seconds: float) -> ExpressionWrapper[Any]:
    """So many seconds from now, by the database's clock; negative: ago."""
    return ExpressionWrapper(DatabaseClock() + dt.timedelta(seconds=seconds), output_field=DateTimeField())
