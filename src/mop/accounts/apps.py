from __future__ import annotations

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out

from mop.areas import config


class AccountsConfig(config.AreaConfig):
    name = "mop.accounts"

    def ready(self) -> None:
        """Register the area, and list sessions as they begin and end."""
        from allauth.account.signals import password_changed  # noqa: PLC0415 - models are ready from now on
        from allauth.mfa.signals import (  # noqa: PLC0415 - models are ready from now on
            authenticator_added,
            authenticator_removed,
            authenticator_reset,
        )

        from mop.accounts.second_factors import record_second_factor  # noqa: PLC0415 - as above
        from mop.accounts.session_lifetime import begin, end, end_others  # noqa: PLC0415 - models are ready from now on

        super().ready()
        for changed in (authenticator_added, authenticator_removed, authenticator_reset):
            changed.connect(record_second_factor)
        password_changed.connect(end_others)
        user_logged_in.connect(begin)
        user_logged_out.connect(end)
        if settings.MOP_OIDC_ISSUER:
            from mop.accounts.oidc_provider import register  # noqa: PLC0415 - megabytes, for single sign-on alone

            register()
