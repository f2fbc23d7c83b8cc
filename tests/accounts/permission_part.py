"""People, teams and tokens in the world of the permission tests."""

from __future__ import annotations

from mop.accounts.links import invite
from mop.accounts.models import Invitation, PersonalAccessToken, SignIn
from mop.accounts.services import actor_of
from mop.accounts.token_services import create_token
from mop.areas.permissions import Row
from support.permission_world import Part, World

_secrets: dict[str, str] = {}


def _prepare(world: World) -> None:
    create_token(actor=actor_of(world.owner), user=world.owner, name="own")
    SignIn.objects.create(user=world.owner, session_key="elsewhere")
    root = world.people["administrator"]
    assert root is not None
    _, _secrets["invitation"] = invite(actor=actor_of(root), by=root, email="new@example.com")


def _names(world: World, row: Row) -> dict[str, object]:
    return {
        **({"name": world.team.name} if row.path.startswith("/teams/") else {}),
        "token_id": PersonalAccessToken.objects.get(name="own").pk,
        "team_id": world.team.pk,
        "quota": "versions",
        "provider_id": "oidc",
        "session_id": SignIn.objects.get(session_key="elsewhere").pk,
        "secret": _secrets["invitation"],
        "user_id": world.coowner.pk,
        "change": "disable",
        "what": "access",
        "invitation_id": Invitation.objects.get().pk,
        "uid": "MQ",
        "key": "made-up",
        "pk": 1,
        "username": world.coowner.username,
        # of Django's administration
        "object_id": world.coowner.pk,
        "content_type_id": 1,
        "app_label": "accounts",
        "url": "nowhere",
    }


PART = Part(
    prepare=_prepare,
    names=_names,
    bodies=lambda world, _row: {
        ("POST", "/tokens"): {"name": "new", "scopes": ["account:read"]},
        ("POST", "/tokens/{token_id}/rotate"): {},
        ("POST", "/teams"): {"name": "new"},
        ("PATCH", "/teams/{name}"): {"description": "another"},
        ("PUT", "/teams/{name}/quotas/{quota}"): {"limit": 500},
        ("PATCH", "/users/{username}"): {"is_active": False},
        ("POST", "/users/{username}/reassign"): {"to": world.owner.username},
        ("POST", "/invitations"): {"email": "another@example.com"},
    },
    forms={f"/teams/<int:team_id>/members/{change}/": {"username": "coowner"} for change in ("add", "remove")},
)
