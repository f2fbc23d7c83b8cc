"""People, invitations and teams, for administrators."""

from __future__ import annotations

from typing import Iterator, Literal, Sequence, cast

from mop_client.documents import Team
from mop_client.part import Part, given
from mop_client.people_documents import (
    Invitation,
    Link,
    NewInvitation,
    NewToken,
    Session,
    TeamDetail,
    Token,
    User,
    UserDetail,
)


class Users(Part):
    """People with an account."""

    def list(
        self, *, search: str | None = None, which: Literal["enabled", "disabled", "administrators"] | None = None
    ) -> Iterator[User]:
        """People by user name; `which`: only enabled accounts, disabled ones, or administrators."""
        return self._server.pages("users", search=search, which=which)

    def get(self, username: str) -> UserDetail:
        """A person, with how they sign in and what they own."""
        return cast("UserDetail", self._server.get("users", username))

    def change(
        self, username: str, *, is_active: bool | None = None, is_administrator: bool | None = None
    ) -> UserDetail:
        """Enable or disable an account, or change its role."""
        body = given({"is_active": is_active, "is_administrator": is_administrator})
        return cast("UserDetail", self._server.patch("users", username, body=body))

    def sessions(self, username: str) -> Sequence[Session]:
        """Where a person is signed in to the portal."""
        return cast("Sequence[Session]", self._server.get("users", username, "sessions"))

    def end_access(self, username: str) -> None:
        """End all sessions and tokens of a person."""
        self._server.delete("users", username, "access")

    def remove_second_factors(self, username: str) -> None:
        """Take all second factors from a person who lost them."""
        self._server.delete("users", username, "second-factors")

    def reset_link(self, username: str) -> Link:
        """A link that sets a new password, once."""
        return cast("Link", self._server.post("users", username, "reset-link"))

    def reassign(self, username: str, *, to: str) -> int:
        """Make somebody else the owner of all that a person owns; gives how many things that were."""
        return cast("int", self._server.post("users", username, "reassign", body={"to": to})["things"])


class Invitations(Part):
    """Links that make an account."""

    def list(self) -> Sequence[Invitation]:
        """Those that can still be used, the newest first."""
        return cast("Sequence[Invitation]", self._server.get("invitations"))

    def create(self, email: str = "", *, team: str | None = None, is_administrator: bool = False) -> NewInvitation:
        """Invite one person; the answer alone holds the link."""
        body = {"email": email, "team": team, "is_administrator": is_administrator}
        return cast("NewInvitation", self._server.post("invitations", body=body))

    def withdraw(self, invitation: int) -> None:
        """Let a link work no more."""
        self._server.delete("invitations", invitation)


class Teams(Part):
    """Teams and their members."""

    def list(self) -> Sequence[Team]:
        """The teams that you may see."""
        return cast("Sequence[Team]", self._server.get("teams"))

    def get(self, name: str) -> TeamDetail:
        """A team."""
        return cast("TeamDetail", self._server.get("teams", name))

    def create(self, name: str, description: str = "") -> Team:
        """Add a team."""
        return cast("Team", self._server.post("teams", body={"name": name, "description": description}))

    def change(self, team: str, *, name: str | None = None, description: str | None = None) -> TeamDetail:
        """Give a team another name or description."""
        return cast(
            "TeamDetail", self._server.patch("teams", team, body=given({"name": name, "description": description}))
        )

    def delete(self, name: str) -> None:
        """Delete a team that has nothing."""
        self._server.delete("teams", name)

    def add_member(self, name: str, username: str) -> None:
        """Put a person into a team."""
        self._server.put("teams", name, "members", username)

    def remove_member(self, name: str, username: str) -> None:
        """Take a person out of a team."""
        self._server.delete("teams", name, "members", username)

    def set_limit(self, name: str, quota: str, limit: int | None) -> TeamDetail:
        """Give a team a limit of its own; 0: none; None: that of the installation."""
        return cast("TeamDetail", self._server.put("teams", name, "quotas", quota, body={"limit": limit}))


class Tokens(Part):
    """Your own access tokens."""

    def list(self) -> Sequence[Token]:
        """Your tokens, the newest first."""
        return cast("Sequence[Token]", self._server.get("tokens"))

    def create(self, name: str, *, scopes: Sequence[str] | None = None, days: int | None = None) -> NewToken:
        """Make a token; the answer alone holds its secret. No token makes one that may do more than itself."""
        body = given({"name": name, "scopes": scopes and [*scopes], "days": days})
        return cast("NewToken", self._server.post("tokens", body=body))

    def rotate(self, token: int, *, days: int | None = None, overlap_hours: int = 0) -> NewToken:
        """A new secret with the same name and scopes; the former one ends, after the overlap."""
        body = given({"days": days, "overlap_hours": overlap_hours})
        return cast("NewToken", self._server.post("tokens", token, "rotate", body=body))

    def revoke(self, token: int) -> None:
        """End a token."""
        self._server.delete("tokens", token)
