"""Users, teams and personal access tokens."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now

from mop.accounts.browsers import browser_name
from mop.accounts.validation import check_name
from mop.areas.scopes import scopes_label


class User(AbstractUser):
    """A person or a script; administrators are superusers."""

    @property
    def is_administrator(self) -> bool:
        """Whether the user may define tasks, taxonomies, teams and instance types."""
        return bool(self.is_active and self.is_superuser)

    @property
    def initials(self) -> str:
        """Two letters for the avatar."""
        return (self.username[:2] or "?").upper()


class UserEmail(models.Model):
    """An address that an account has or had, in lower case: accounts that share one are one person's.

    People change their own address, and another address makes nobody another person.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="emails")
    email = models.CharField(max_length=254, db_index=True)
    first_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "email"), name="each_address_once_of_a_user"),)

    def __str__(self) -> str:
        return f"an address of {self.user}"


class Team(models.Model):
    """Owns models, tasks and datasets. A personal team belongs to the one user without another."""

    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    is_personal = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    members = models.ManyToManyField(User, through="TeamMembership", related_name="teams")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Check the name."""
        check_name(self.name)


class TeamMembership(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("team", "user"), name="one_membership_per_team_and_user"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class TeamLimit(models.Model):
    """A limit of a team's own, in place of the installation's. It goes with the team and keeps none from going."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    quota = models.CharField(max_length=40)
    limit = models.PositiveBigIntegerField(help_text="0: none")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("team", "quota"), name="one_limit_per_team_and_quota"),)

    def __str__(self) -> str:
        return f"{self.quota} of {self.team}"


class PersonalAccessToken(models.Model):
    """A secret for API and CLI: shown once, stored as a SHA-256, scoped, expiring, revocable.

    A token that was made with another (`made_by`) has no scope that the other lacks, lives no longer, and ends with it.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(
        max_length=12, editable=False, help_text="first characters of the secret, to tell tokens apart"
    )
    scopes = models.JSONField(default=list, help_text="as mop.areas.scopes writes them")
    made_by = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="made")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"

    @property
    def scopes_label(self) -> str:
        """What it may do, in words."""
        return scopes_label(self.scopes)


class SignIn(models.Model):
    """A session of the portal: whose, since when, last seen from where. It goes when the session ends."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True, editable=False)
    created_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    address = models.CharField(max_length=64, blank=True)
    browser = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-seen_at", "-pk")

    def __str__(self) -> str:
        return f"{self.user} from {self.address}"

    @property
    def browser_name(self) -> str:
        """The browser in few words."""
        return browser_name(self.browser)


class Invitation(models.Model):
    """A link by which one person makes an account, once. The link's secret is stored as a SHA-256."""

    email = models.EmailField(blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    is_administrator = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"invitation of {self.email or 'somebody'}"
