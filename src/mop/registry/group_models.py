"""Groups of models: each is one person's list of models, which others may be shown."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from mop.accounts.models import Team

GROUP_NAME_MAX = 100


class ModelGroup(models.Model):
    """A named list of models. It gives no access to them: everybody sees those that they may see anyway."""

    name = models.CharField(max_length=GROUP_NAME_MAX)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="model_groups")
    created_at = models.DateTimeField(default=timezone.now)
    edition = models.PositiveIntegerField(
        default=1, help_text="counts edits; a change of an earlier edition is refused"
    )

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(fields=("owner", "name"), name="group_name_unique_for_owner"),)

    def __str__(self) -> str:
        return self.name


class GroupEntry(models.Model):
    """A model in a group."""

    group = models.ForeignKey(ModelGroup, on_delete=models.CASCADE, related_name="entries")
    model = models.ForeignKey("registry.Model", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("group", "model"), name="each_model_once_per_group"),)

    def __str__(self) -> str:
        return f"{self.model} in {self.group}"


class GroupShare(models.Model):
    """A person or a team who is shown a group."""

    group = models.ForeignKey(ModelGroup, on_delete=models.CASCADE, related_name="shares")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("group", "user"), name="group_shared_once_with_a_user"),
            models.UniqueConstraint(fields=("group", "team"), name="group_shared_once_with_a_team"),
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) ^ models.Q(team__isnull=True), name="share_with_a_user_or_a_team"
            ),
        )

    def __str__(self) -> str:
        return str(self.user or self.team)


class HiddenGroup(models.Model):
    """A person's wish not to see a group in their list; its page offers to show it again."""

    group = models.ForeignKey(ModelGroup, on_delete=models.CASCADE, related_name="hidden")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("group", "user"), name="group_hidden_once_for_a_user"),)

    def __str__(self) -> str:
        return f"{self.group} hidden from {self.user}"
