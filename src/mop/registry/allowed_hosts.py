"""Which hosts a version's model may reach: none, unless an administrator allows some."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from mop.audit.services import Actor, record
from mop.environments import allowed_host, host_text
from mop.errors import ValidationFailedError
from mop.registry.actions import Action
from mop.registry.models import Revision

HOSTS_MAX = 20


@transaction.atomic
def change_allowed_hosts(*, actor: Actor, revision: Revision, hosts: Sequence[str]) -> list[str]:
    """Let a version's model reach these hosts from its next deployment on, and no others; gives them as they are kept.

    Args:
        actor: who allows it.
        revision: the version.
        hosts: each `host` (port 443) or `host:port`.

    Raises:
        ValidationFailedError: one is no host, or there are too many; `fields` has each message under `hosts`.
    """
    wanted = read_hosts(hosts)
    row = Revision.objects.select_for_update().select_related("model").get(pk=revision.pk)
    if wanted == row.allowed_hosts:
        return wanted
    record(
        actor=actor,
        action=Action.REVISION_ALLOWED_HOSTS_CHANGED,
        object_type="revision",
        object_id=row.pk,
        object_label=str(row),
        data={"from": row.allowed_hosts, "to": wanted},
    )
    row.allowed_hosts = wanted
    row.save(update_fields=["allowed_hosts"])
    return wanted


def read_hosts(hosts: Sequence[str]) -> list[str]:
    """Hosts in one way of writing, sorted, each once.

    Raises:
        ValidationFailedError: as `change_allowed_hosts`.
    """
    found, problems = set(), []
    for text in hosts[: HOSTS_MAX + 1]:
        try:
            found.add(host_text(allowed_host(text)))
        except ValueError as error:
            problems.append(str(error))
    if len(hosts) > HOSTS_MAX:
        problems.append(f"A version may reach {HOSTS_MAX} hosts at most.")
    if problems:
        raise ValidationFailedError(f"hosts: {' '.join(problems)}", fields={"hosts": problems})
    return sorted(found)
