"""Sending queued e-mails: by the worker, outside every transaction of ours, at least once.

An e-mail is claimed by moving its `next_at` ahead, sent, then marked. A worker that dies in between leaves a claim that
ends by itself; the e-mail is then sent again under the same Message-ID, by which mail servers and readers know it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import smtplib

from django.core.exceptions import ValidationError
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.db.models import F, QuerySet
from django.utils import timezone

from mop.audit.services import Actor
from mop.errors import EmailUnavailableError
from mop.notifications.alerts import raise_alert
from mop.notifications.email_states import EmailState
from mop.notifications.messages import compose
from mop.notifications.models import Email, Notification
from mop.notifications.scopes import within_sight
from mop.notifications.texts import one_line

BATCH = 100
CLAIM = dt.timedelta(minutes=5)
SERVER_PAUSE = dt.timedelta(minutes=1)
BACKOFF = dt.timedelta(minutes=1)
BACKOFF_MAX = dt.timedelta(hours=6)
ATTEMPTS_MAX = 12  # with this backoff: given up after about a day
PERMANENT = 500
OUTBOX = Actor.system("outbox")

logger = logging.getLogger(__name__)


def deliver_due() -> int:
    """Send what is due; when the mail server fails, everything that is due waits.

    Returns:
        How many e-mails were sent.
    """
    due = list(_queued().order_by("next_at", "pk")[:BATCH])
    if not due:
        return 0
    sent = 0
    connection = get_connection()
    try:
        for email in due:
            if claim(email):
                sent += _deliver(email, connection)
    except EmailUnavailableError as fault:
        logger.error("%s %s", fault.message, fault.hint)  # noqa: TRY400 - expected, no traceback
        raise_alert(actor=OUTBOX, fault=fault)
        _queued().update(next_at=timezone.now() + SERVER_PAUSE)  # spares a try for each
    finally:
        with contextlib.suppress(smtplib.SMTPException, OSError):  # all that it was for is written down
            connection.close()
    return sent


def claim(email: Email) -> bool:
    """Take an e-mail for sending; False when another worker did."""
    until = timezone.now() + CLAIM
    mine = Email.objects.filter(pk=email.pk, state=EmailState.QUEUED, next_at=email.next_at).update(
        next_at=until, attempts=F("attempts") + 1
    )
    email.attempts += mine
    return bool(mine)


def _deliver(email: Email, connection: BaseEmailBackend) -> bool:
    notification = Notification.objects.select_related("recipient").filter(pk=email.notification_id).first()
    if notification is None:  # its object was deleted a moment ago, and the e-mail with it
        return False
    reader = notification.recipient
    may_see = Notification.objects.filter(within_sight(reader), pk=notification.pk).exists()
    if not (may_see and reader.is_active and reader.email):
        _settle(email, EmailState.WITHHELD)
        return False
    try:
        validate_email(reader.email)
    except ValidationError:
        _settle(email, EmailState.FAILED, "The address is no e-mail address.")
        return False
    try:
        connection.send_messages([compose(notification, email.key)])
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()), (PERMANENT, b""))
        _refused(email, code, answer)
    except smtplib.SMTPDataError as error:
        _refused(email, error.smtp_code, error.smtp_error)
    except (smtplib.SMTPException, OSError) as error:
        _put_back(email, f"{type(error).__name__}: {error}")
        raise EmailUnavailableError(f"The mail server failed: {type(error).__name__}: {error}.") from error
    else:
        _settle(email, EmailState.SENT)
        return True
    return False


def _refused(email: Email, code: int, answer: bytes | str) -> None:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    reason = f"The mail server refused it: {code} {text}"
    if code >= PERMANENT or email.attempts >= ATTEMPTS_MAX:
        _settle(email, EmailState.FAILED, reason)
        return
    pause = min(BACKOFF * 2 ** (email.attempts - 1), BACKOFF_MAX)
    Email.objects.filter(pk=email.pk).update(next_at=timezone.now() + pause, error=one_line(reason, 500))


def _put_back(email: Email, reason: str) -> None:
    """Let an e-mail wait for the mail server, however long that is away: it is no try of this e-mail."""
    Email.objects.filter(pk=email.pk).update(
        attempts=F("attempts") - 1, next_at=timezone.now() + SERVER_PAUSE, error=one_line(reason, 500)
    )


def _settle(email: Email, state: EmailState, reason: str = "") -> None:
    sent_at = timezone.now() if state == EmailState.SENT else None
    Email.objects.filter(pk=email.pk).update(state=state, sent_at=sent_at, error=one_line(reason, 500))


def _queued() -> QuerySet[Email]:
    return Email.objects.filter(state=EmailState.QUEUED, next_at__lte=timezone.now())
