from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in

from mop.accounts.session_lifetime import begin
from mop.ui.navigation import NavEntry, NavGroup, register


class AccountsConfig(AppConfig):
    name = "mop.accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let sessions begin, and put the area's pages into the user menu."""
        user_logged_in.connect(begin)
        register(NavEntry("Access tokens", "key", "accounts:tokens", order=10, group=NavGroup.ACCOUNT))
        register(
            NavEntry(
                "Change password",
                "lock",
                "account_change_password",
                order=20,
                group=NavGroup.ACCOUNT,
                permission="accounts.change_password",
            )
        )
        register(
            NavEntry(
                "Teams",
                "teams",
                "accounts:teams",
                order=10,
                group=NavGroup.ADMINISTRATION,
                permission="accounts.define",
            )
        )
