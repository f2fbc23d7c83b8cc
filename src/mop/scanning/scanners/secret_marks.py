"""Cheap signs of secrets in a text: what to look for, before the patterns of others are brought to look closely."""

from __future__ import annotations

from dataclasses import dataclass

KEYWORD = "keyword"
"""The rule that goes by a name such as `password` beside the value, not by the value's shape."""

MARKS: dict[str, tuple[str, ...]] = {
    "anthropic-key": ("sk-ant-",),
    "aws-key": ("AKIA", "ASIA", "ABIA", "ACCA", "A3T", "aws", "AWS", "Aws"),
    "azure-client-secret": ("Q~",),
    "azure-shared-access-key": ("SharedAccessKey=",),
    "azure-shared-access-signature": ("sig=",),
    "azure-storage-key": ("AccountKey=",),
    "connection-string": ("word=", "WORD=", "pwd=", "Pwd=", "PWD="),
    "databricks-token": ("dapi",),
    "github-token": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    "gitlab-token": (
        "glpat",
        "gldt",
        "glft",
        "glsoat",
        "glrt",
        "GR1348941",
        "glcbt",
        "glimt",
        "glptt",
        "glagent",
        "gloas",
    ),
    "google-key": ("AIza",),
    "hugging-face-token": ("hf_",),
    "json-web-token": ("eyJ",),
    "mailchimp-key": ("-us",),
    "npm-token": ("_authToken=",),
    "openai-key": ("T3BlbkFJ", "sk-proj-"),
    "password-in-url": ("://",),
    "private-key": ("PRIVATE KEY", "PuTTY-User-Key"),
    "pypi-token": ("pypi-Ag",),
    "sendgrid-key": ("SG.",),
    "slack-token": ("xox", "XOX", "hooks.slack"),
    "square-token": ("sq0csp",),
    "stripe-key": ("k_live_",),
    "telegram-token": (":AA",),
    "twilio-key": ("AC", "SK"),
}
"""Texts of which a line that breaks a rule holds at least one."""

KEYWORD_MARKS: tuple[str, ...] = (
    "account_key",
    "accountkey",
    "api_key",
    "apikey",
    "auth_key",
    "authkey",
    "client_key",
    "clientkey",
    "contrasena",
    "contraseña",
    "database_key",
    "database_pass",
    "databasekey",
    "databasepass",
    "db_key",
    "db_pass",
    "dbkey",
    "dbpass",
    "key_pass",
    "keypass",
    "passwd",
    "password",
    "priv_key",
    "private_key",
    "privatekey",
    "privkey",
    "pwd",
    "secret",
    "service_key",
    "servicekey",
)
"""The same for the rule `keyword`, in lower case: every word of detect-secrets' own list."""


@dataclass(frozen=True)
class Seen:
    """A secret in a line. Its value must not leave the scanner."""

    rule: str
    value: str

    def __repr__(self) -> str:  # a traceback, a log or an assertion may show it
        return f"Seen({self.rule})"


def rules_of(text: str) -> tuple[str, ...]:
    """Rules that a text, of any number of lines, may break; cheap, and mostly none."""
    rules = [rule for rule, marks in MARKS.items() if any(mark in text for mark in marks)]
    return (*rules, KEYWORD) if has_keyword(text) else (*rules,)


def has_keyword(text: str) -> bool:
    """Whether a text holds a word that stands beside secrets."""
    lowered = text.lower()
    return any(mark in lowered for mark in KEYWORD_MARKS)
