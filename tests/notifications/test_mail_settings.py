"""MOP_EMAIL_BACKEND and MOP_EMAIL_FROM."""

from __future__ import annotations

import pytest

from mop.conf.email import MailSettings, mail_address, mail_server, mail_settings

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.org", MailSettings(SMTP, "mail.example.org", 587, starttls=True)),
        ("smtp://m:25?starttls=off", MailSettings(SMTP, "m", 25)),
        ("smtps://u%40x:p%2Fw@m", MailSettings(SMTP, "m", 465, user="u@x", password="p/w", tls=True)),
        ("smtps://m:2465/", MailSettings(SMTP, "m", 2465, tls=True)),
    ],
)
def test_a_url_says_where_how_and_as_whom(url: str, expected: MailSettings):
    assert mail_settings(mail_server(url)) == expected


def test_the_console_needs_no_server():
    assert mail_settings(mail_server("console")).backend.endswith("console.EmailBackend")


@pytest.mark.parametrize(
    "url", ["", "mail.example.org", "http://m", "smtp://", "smtp://m:x", "smtp://m/path", "smtp://m?tls=off", "Console"]
)
def test_what_is_no_mail_server_is_refused_without_repeating_it(url: str):
    with pytest.raises(ValueError, match=r"smtp://user|[Pp]ort"):
        mail_server(url)


def test_a_password_is_in_no_message():
    with pytest.raises(ValueError) as caught:
        mail_server("smtp://user:s3cret@m/path")
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(mail_settings("smtp://user:s3cret@m"))


@pytest.mark.parametrize("text", ["MOP <mop@example.org>", "mop@example.org"])
def test_a_sender_is_an_address(text: str):
    assert mail_address(text) == text


@pytest.mark.parametrize("text", ["MOP", "", "a@b\nBcc: c@d"])
def test_what_is_no_sender_is_refused(text: str):
    with pytest.raises(ValueError, match="no address"):
        mail_address(text)
