"""What Django's reports of a failure may show of an installation's settings."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

from mop.conf.options import OPTIONS, VARIABLES

_SECRET = [option.name for option in OPTIONS if option.secret]
_SECRET += [name for name, _, is_secret in VARIABLES if is_secret]


class SecretFilter(SafeExceptionReporterFilter):
    """Hides, beside what Django takes for a secret, each setting that is marked as one, under its further names too."""

    hidden_settings = re.compile(
        "|".join(
            [
                SafeExceptionReporterFilter.hidden_settings.pattern,
                *_SECRET,
                "^OPTIONS$",  # all of them by name
                "CREDENTIAL|COOKIE|SESSIONID|^_MAIL$",
            ]
        ),
        flags=re.IGNORECASE,
    )

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        """What a form sent, without its passwords and tokens, in debug pages too."""
        return {name: self.cleanse_setting(name, value) for name, value in super().get_post_parameters(request).items()}
