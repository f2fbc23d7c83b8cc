from __future__ import annotations

from django.contrib.auth.signals import user_logged_in

from mop.accounts.session_lifetime import begin
from mop.areas import config


class AccountsConfig(config.AreaConfig):
    name = "mop.accounts"

    def ready(self) -> None:
        """Register the area, and let sessions begin."""
        super().ready()
        user_logged_in.connect(begin)
