"""What the versions of a team take of the installation."""

from __future__ import annotations

from django.db.models import Max, Sum

from mop.accounts.models import Team
from mop.accounts.quotas import Quota
from mop.areas.references import Setting
from mop.registry.models import Revision
from mop.registry.statuses import REVISION_LIFECYCLE


def _on_their_way(team: Team) -> int:
    return Revision.objects.filter(model__team=team, status__in=REVISION_LIFECYCLE.live).count()


def _stored(team: Team) -> int:
    """Versions of the same files share one snapshot."""
    snapshots = Revision.objects.filter(model__team=team).exclude(artifact_digest="").order_by()
    sizes = snapshots.values("artifact_digest").annotate(size=Max("artifact_bytes"))
    return sizes.aggregate(total=Sum("size"))["total"] or 0


def has_snapshot(team: Team, digest: str) -> bool:
    """Whether a snapshot counts for a team already."""
    return Revision.objects.filter(model__team=team, artifact_digest=digest).exists()


VERSIONS = Quota(
    name="versions",
    label="Versions being onboarded at once",
    unit="versions",
    setting=Setting("MOP_TEAM_VERSIONS_MAX"),
    used=_on_their_way,
    hint="Wait until one has ended, or cancel one.",
)
STORED = Quota(
    name="stored",
    label="Size of the snapshots",
    unit="bytes",
    setting=Setting("MOP_TEAM_STORED_BYTES_MAX"),
    used=_stored,
    hint="Delete versions that nobody needs.",
)
