"""The settings of the tests for an installation with one more area."""

from __future__ import annotations

from support.settings import *  # noqa: F403 - all of them

INSTALLED_APPS = [*INSTALLED_APPS, "areas.greetings"]  # noqa: F405 - as above
