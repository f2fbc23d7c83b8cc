"""What owners edit of a model or a version, so that of two people who edit the same thing neither loses their text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from mop.audit.services import Actor, record
from mop.errors import EditConflictError, ValidationFailedError
from mop.registry.actions import Action
from mop.registry.models import CARD_TEXT_MAX, TAG_MAX, Model, ModelTag, Revision

TAGS_MAX = 20


@transaction.atomic
def change_model(
    *,
    actor: Actor,
    model: Model,
    description: str | None = None,
    intended_use: str | None = None,
    limits: str | None = None,
    tags: Sequence[str] | None = None,
    edition: int | None = None,
) -> None:
    """Set a model's description, the texts of its model card, its tags; None leaves them.

    `tags` are all of them; what differs in case or outer blanks alone is one tag, kept as first written. `edition` is
    the one that the person saw; None overwrites whatever stands.

    Raises:
        ValidationFailedError: a text is too long; or a tag is, or holds a comma or a control character; or too many.
        EditConflictError: somebody edited the model since.
    """
    wanted = None if tags is None else _clean_tags(tags)
    begin_edit(model, edition)
    if description is not None:
        Model.objects.filter(pk=model.pk).update(description=description)
        _record_of_model(actor, model, Action.MODEL_DESCRIPTION_CHANGED)
    for field, text in (("intended_use", intended_use), ("limits", limits)):
        if text is not None:
            Model.objects.filter(pk=model.pk).update(**{field: _checked_text(field, text)})
            _record_of_model(actor, model, Action.MODEL_CARD_TEXT_CHANGED, {"field": field})
    if wanted is not None:
        ModelTag.objects.filter(model=model).exclude(name__in=wanted).delete()
        ModelTag.objects.bulk_create([ModelTag(model=model, name=name) for name in wanted], ignore_conflicts=True)
        _record_of_model(actor, model, Action.MODEL_TAGS_CHANGED, {"tags": wanted})


@transaction.atomic
def change_note(*, actor: Actor, revision: Revision, note: str, edition: int | None = None) -> None:
    """Set a version's note.

    Raises:
        EditConflictError: somebody edited the version since.
    """
    begin_edit(revision, edition)
    Revision.objects.filter(pk=revision.pk).update(note=note)
    record(
        actor=actor,
        action=Action.REVISION_NOTE_CHANGED,
        object_type="revision",
        object_id=revision.pk,
        object_label=str(revision),
    )


def begin_edit(thing: Any, edition: int | None) -> None:
    """Count an edit of a row with a column `edition`; call it first in the transaction of the edit.

    Raises:
        EditConflictError: the row is no longer in the edition that the person saw, or is gone.
    """
    rows = type(thing).objects.filter(pk=thing.pk)
    current = rows if edition is None else rows.filter(edition=edition)
    if not current.update(edition=F("edition") + 1):
        raise EditConflictError(f"Somebody changed {thing} while you edited it; nothing of yours was saved.")


def _checked_text(field: str, text: str) -> str:
    if len(text) > CARD_TEXT_MAX:
        message = f"The text has {len(text):,} characters; {CARD_TEXT_MAX:,} are allowed."
        raise ValidationFailedError(f"{field}: {message}", fields={field: [message]})
    return text


def _clean_tags(tags: Sequence[str]) -> list[str]:
    found: dict[str, str] = {}
    problems = []
    for tag in (" ".join(text.split()) for text in tags):
        if not tag:
            continue
        if len(tag) > TAG_MAX:
            problems.append(f"A tag has {TAG_MAX} characters at most: {tag[:TAG_MAX]}…")
        elif "," in tag or not tag.isprintable():
            problems.append("A tag holds no comma and no control character.")
        found.setdefault(tag.casefold(), tag)
    if len(found) > TAGS_MAX:
        problems.append(f"A model has {TAGS_MAX} tags at most.")
    if problems:
        raise ValidationFailedError(f"tags: {' '.join(problems)}", fields={"tags": problems})
    return sorted(found.values(), key=str.casefold)


def _record_of_model(actor: Actor, model: Model, action: Action, data: dict[str, Any] | None = None) -> None:
    record(
        actor=actor, action=action, object_type="model", object_id=model.pk, object_label=model.name, data=data or {}
    )
