"""Links that let one person in once: invitations, and new passwords for forgotten ones."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import threading

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.forms import EmailField
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from mop.accounts.access_ends import end_sessions
from mop.accounts.actions import Action
from mop.accounts.models import Invitation, Team, User
from mop.accounts.services import EMAIL_MAX, actor_of, change_email, create_user
from mop.accounts.token_services import digest_of
from mop.audit.services import Actor, record
from mop.errors import ConflictError, NotFoundError, ValidationFailedError

logger = logging.getLogger(__name__)
INVITATION_DAYS = 7


@transaction.atomic
def invite(
    *, actor: Actor, by: User, email: str = "", team: Team | None = None, is_administrator: bool = False
) -> tuple[Invitation, str]:
    """An invitation and the secret of its link, which is stored nowhere.

    Args:
        actor: who invites.
        by: the same, as a user.
        email: the address that the new account gets; empty: none.
        team: the team that it joins.
        is_administrator: whether it becomes an administrator.

    Raises:
        ValidationFailedError: the address is none.
    """
    try:
        EmailField(required=False, max_length=EMAIL_MAX).clean(email)
    except ValidationError as error:
        raise ValidationFailedError(" ".join(error.messages), fields={"email": error.messages}) from error
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        email=email,
        digest=digest_of(secret),
        team=team,
        is_administrator=is_administrator,
        created_by=by,
        expires_at=timezone.now() + dt.timedelta(days=INVITATION_DAYS),
    )
    record(
        actor=actor,
        action=Action.USER_INVITED,
        object_type="invitation",
        object_id=invitation.pk,
        object_label=email or "somebody",
        data={"team": team.name if team else None, "is_administrator": is_administrator},
    )
    return invitation, secret


def open_invitation(secret: str) -> Invitation:
    """The invitation of a link that works.

    Raises:
        NotFoundError: there is none, or it is used, withdrawn or too old; the answer does not say which.
    """
    found = (
        Invitation.objects.select_related("team", "created_by")
        .filter(digest=digest_of(secret), accepted_by=None, withdrawn_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if found is None or not found.created_by.is_administrator:
        raise NotFoundError("This invitation does not work any more.", hint="Ask for a new one.")
    return found


@transaction.atomic
def accept_invitation(*, address: str, secret: str, username: str, password: str) -> User:
    """The account that an invitation makes, once.

    Raises:
        NotFoundError: the link does not work.
        ValidationFailedError: the name is taken or not allowed, or the password is too weak.
    """
    # a person who accepts or withdraws it at the same time is waited for; what they did then counts
    Invitation.objects.select_for_update().filter(digest=digest_of(secret)).first()
    invitation = open_invitation(secret)
    actor = Actor(id=f"invitation:{invitation.pk}", label=f"invitation by {invitation.created_by}", address=address)
    user = create_user(
        actor=actor,
        username=username,
        password=password,
        is_administrator=invitation.is_administrator,
        team=invitation.team,
        is_self_named=True,
    )
    if invitation.email:
        change_email(actor=actor, user=user, email=invitation.email)
    invitation.accepted_by = user
    invitation.save(update_fields=["accepted_by"])
    return user


@transaction.atomic
def withdraw_invitation(*, actor: Actor, invitation: Invitation) -> None:
    """Let a link work no more; does nothing if it is used or withdrawn."""
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if invitation.accepted_by_id is None and invitation.withdrawn_at is None:
        invitation.withdrawn_at = timezone.now()
        invitation.save(update_fields=["withdrawn_at"])
        record(
            actor=actor,
            action=Action.USER_INVITATION_WITHDRAWN,
            object_type="invitation",
            object_id=invitation.pk,
            object_label=invitation.email or "somebody",
        )


def open_invitations() -> QuerySet[Invitation]:
    """Invitations that can still be used, the newest first."""
    found = Invitation.objects.filter(accepted_by=None, withdrawn_at=None, expires_at__gt=timezone.now())
    return found.select_related("team", "created_by")


def get_invitation(invitation_id: int) -> Invitation:
    """An invitation, used or not.

    Raises:
        NotFoundError: there is none.
    """
    found = Invitation.objects.filter(pk=invitation_id).first()
    if found is None:
        raise NotFoundError("There is no such invitation.")
    return found


def invitation_link(request: HttpRequest, secret: str) -> str:
    """The address that makes the account of an invitation."""
    return absolute(request, reverse("invitation", args=[secret]))


def mail_invitation(invitation: Invitation, link: str) -> str:
    """Send the link to the invited person; gives the address, empty where there is none or no e-mail is sent."""
    if not invitation.email or not sends_mail():
        return ""
    inviter = invitation.created_by.username
    text = f"{inviter} invites you to MOP. This link makes your account; it works once, within seven days:\n\n{link}\n"
    send(to=invitation.email, subject="Your invitation to MOP", text=text)
    return invitation.email


def reset_link(request: HttpRequest, *, actor: Actor, user: User) -> str:
    """The address of a link that sets a new password, for an administrator to hand over.

    Raises:
        ConflictError: the account is of the provider of single sign-on, or it is disabled.
    """
    if not user.is_active:
        raise ConflictError(f"The account of {user.username} is disabled.", hint="Enable it first.")
    if SocialAccount.objects.filter(user=user).exists():
        raise ConflictError(
            f"{user.username} signs in at the provider of single sign-on.", hint="The password is kept there."
        )
    return absolute(request, reset_path(actor=actor, user=user))


def reset_path(*, actor: Actor, user: User) -> str:
    """The path of a link that sets a new password, once, within MOP's PASSWORD_RESET_TIMEOUT."""
    record(
        actor=actor, action=Action.USER_RESET_LINK, object_type="user", object_id=user.pk, object_label=user.username
    )
    uid = urlsafe_base64_encode(str(user.pk).encode())
    return reverse("account_reset_password_from_key", args=[uid, default_token_generator.make_token(user)])


def user_of_link(uid: str, key: str) -> User:
    """The person of a reset link that works.

    Raises:
        NotFoundError: it does not: used, too old, made up, or of somebody who may not sign in.
    """
    try:
        pk = int(urlsafe_base64_decode(uid).decode())
    except (ValueError, UnicodeDecodeError):
        pk = 0
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or not default_token_generator.check_token(user, key):
        raise NotFoundError("This link does not work any more.", hint="Ask for a new one.")
    return user


@transaction.atomic
def set_password(*, address: str, user: User, password: str) -> None:
    """Set a password by a link; all sessions end.

    Raises:
        ValidationFailedError: it is too weak.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationFailedError(" ".join(error.messages), fields={"password": error.messages}) from error
    user.set_password(password)
    user.save(update_fields=["password"])
    actor = actor_of(user, address)
    end_sessions(actor=actor, user=user, why="a new password by a link")
    record(
        actor=actor, action=Action.USER_PASSWORD_SET, object_type="user", object_id=user.pk, object_label=user.username
    )


def absolute(request: HttpRequest, path: str) -> str:
    """A link's address as people open it."""
    return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)


def sends_mail() -> bool:
    """Whether this installation sends e-mail."""
    return "console" not in settings.EMAIL_BACKEND


def send(*, to: str, subject: str, text: str) -> None:
    """Send one e-mail in the background: how long it takes must not tell whether an account exists."""

    def deliver() -> None:
        try:
            send_mail(subject, text, None, [to])
        except OSError as error:  # smtplib's errors are among them
            logger.error("an e-mail to %s was not sent: %s", to, error)  # noqa: TRY400 - its trace says no more

    threading.Thread(target=deliver, name="mop-mail", daemon=True).start()
