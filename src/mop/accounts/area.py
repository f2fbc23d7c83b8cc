"""People, teams and their access as an area."""

from __future__ import annotations

from mop.accounts.actions import Action
from mop.areas.area import Area, Commands, Urls
from mop.areas.navigation import NavEntry, NavGroup
from mop.areas.references import Ref

AREA = Area(
    name="accounts",
    routers=(
        Ref("mop.accounts.api:router"),
        Ref("mop.accounts.people_api:router"),
        Ref("mop.accounts.teams_api:router"),
    ),
    urls=(Urls("mop.accounts.sign_in_urls", prefix="accounts/"), Urls("mop.accounts.urls")),
    permissions=Ref("mop.accounts.permissions:PERMISSIONS"),
    navigation=(
        NavEntry("My account", "user", "accounts:account", order=5, group=NavGroup.ACCOUNT),
        NavEntry("Access tokens", "key", "accounts:tokens", order=10, group=NavGroup.ACCOUNT),
        NavEntry("Sign-in and security", "lock", "mfa_index", order=15, group=NavGroup.ACCOUNT),
        NavEntry(
            "Change password",
            "lock",
            "account_change_password",
            order=20,
            group=NavGroup.ACCOUNT,
            permission="accounts.change_password",
        ),
        NavEntry(
            "People", "user", "accounts:users", order=5, group=NavGroup.ADMINISTRATION, permission="accounts.define"
        ),
        NavEntry(
            "Teams",
            "teams",
            "accounts:teams",
            order=10,
            group=NavGroup.ADMINISTRATION,
            permission="accounts.define",
        ),
    ),
    audit_actions=Action,
    team_bonds=(Ref("mop.accounts.single_sign_on:team_bonds"),),
    commands=(
        Commands(Ref("mop_client.cli.token:app"), order=75),
        Commands(Ref("mop_client.cli.session:app"), order=75),
        Commands(Ref("mop_client.cli.team:app"), order=79),
        Commands(Ref("mop_client.cli.user:app"), order=79),
        Commands(Ref("mop.cli.createuser:app"), order=110),
    ),
)
