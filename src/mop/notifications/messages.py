"""The e-mail of a notification: plain text, one subject line, a Message-ID that stays the same."""

from __future__ import annotations

import textwrap
import uuid
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from mop.notifications.models import Notification

WIDTH = 78


def compose(notification: Notification, key: uuid.UUID) -> EmailMessage:
    """The message. Every text of it was made one line when it was written, so none can become a header or a part."""
    lines = [_wrapped(notification.title)]
    if notification.reason:
        lines.append(_wrapped(notification.reason))
    if notification.hint:
        lines.append(_wrapped(f"How to fix it: {notification.hint}"))
    lines.append(_address(notification.link))
    lines.append(f"-- \nNotification settings: {_address(reverse('notifications:preferences'))}")
    return EmailMessage(
        subject=f"[MOP] {notification.title}",
        body="\n\n".join(lines) + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[notification.recipient.email],
        headers={
            "Message-ID": message_id(key),
            "Auto-Submitted": "auto-generated",  # RFC 3834: no answers by machines
        },
    )


def message_id(key: uuid.UUID) -> str:
    """The Message-ID of an e-mail, in the domain of the sender."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{key}@{domain}>"


def _address(path: str) -> str:
    if settings.PUBLIC_URL:
        return f"{settings.PUBLIC_URL}{path}"
    return f"{path} (in the portal)"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
