"""Django's e-mail settings from one url: the console, or an SMTP server."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import parseaddr
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

CONSOLE = "console"
STARTTLS_PORT, TLS_PORT = 587, 465


def mail_server(text: str) -> str:
    """The text, if it names a place that takes e-mail.

    Raises:
        ValueError: it names none.
    """
    if text != CONSOLE:
        _read(text)
    return text


def mail_address(text: str) -> str:
    """The text, if it is a sender such as `MOP <mop@example.org>`.

    Raises:
        ValueError: it is none.
    """
    if "@" not in parseaddr(text)[1] or not text.isprintable():
        raise ValueError(f"{text!r} is no address such as MOP <mop@example.org>")
    return text


@dataclass(frozen=True)
class MailSettings:
    """Django's e-mail settings."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    starttls: bool = False


def mail_settings(server: str) -> MailSettings:
    """The settings of a place that `mail_server` accepted. SMTP is never without TLS unless it says so."""
    if server == CONSOLE:
        return MailSettings(backend="django.core.mail.backends.console.EmailBackend")
    parts, is_plain = _read(server)
    tls = parts.scheme == "smtps"
    return MailSettings(
        backend="django.core.mail.backends.smtp.EmailBackend",
        host=parts.hostname or "",
        port=parts.port or (TLS_PORT if tls else STARTTLS_PORT),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls,
        starttls=not tls and not is_plain,
    )


def _read(text: str) -> tuple[SplitResult, bool]:
    """The parts of the url, and whether it asks for no TLS. Messages do not repeat it: it may hold a password."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:  # its message would repeat a part of a password that holds a / or #
        raise ValueError("its host or port cannot be read; in a password, / is %2F, @ is %40, # is %23") from None
    query = parse_qs(parts.query)
    is_plain = query.pop("starttls", []) == ["off"]
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/") or query:
        raise ValueError(
            "write `console`, smtp://user:password@host:port (STARTTLS; ?starttls=off for none), or smtps://... (TLS)"
        )
    return parts, is_plain
