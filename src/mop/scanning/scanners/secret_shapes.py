"""What secrets look like in a line of text: plugins of detect-secrets, and shapes that it does not know.

The plugins are asked line by line; their checks over the network, their settings and their files are not used.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

from detect_secrets.filters import heuristic
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.keyword import (
    QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP,
    REGEX_BY_FILETYPE,
    KeywordDetector,
)
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector
from detect_secrets.util.filetype import FileType, determine_file_type

from mop.scanning.scanners.secret_marks import KEYWORD, MARKS, Seen, has_keyword

_PATTERNS: dict[str, Sequence[re.Pattern[str]]] = {
    "anthropic-key": [re.compile(r"sk-ant-[A-Za-z0-9_-]{32,}")],
    "aws-key": AWSKeyDetector.denylist,
    "azure-client-secret": [re.compile(r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}")],
    "azure-shared-access-key": [re.compile(r"SharedAccessKey=([A-Za-z0-9+/]{32,}={0,2})")],
    "azure-shared-access-signature": [re.compile(r"[?&;]sig=([A-Za-z0-9%+/]{40,}(?:=|%3[Dd]))")],
    "azure-storage-key": [re.compile(r"AccountKey=([A-Za-z0-9+/]{86}==)")],
    "connection-string": [
        re.compile(
            r"(?i)(?:server|data source|host)=[^\s\"';]{1,200};[^\"']{0,300}?\b(?:pwd|password)=([^;\"'\s]{4,200})"
        )
    ],
    "databricks-token": [re.compile(r"dapi[0-9a-f]{32}")],
    "github-token": [*GitHubTokenDetector.denylist, re.compile(r"github_pat_[A-Za-z0-9_]{60,}")],
    "gitlab-token": GitLabTokenDetector.denylist,
    "google-key": [re.compile(r"AIza[0-9A-Za-z_-]{35}")],
    "hugging-face-token": [re.compile(r"hf_[A-Za-z0-9]{30,}")],
    "json-web-token": [re.compile(r"eyJ[A-Za-z0-9_=-]{8,4000}\.[A-Za-z0-9_=-]{8,4000}(?:\.[A-Za-z0-9_=-]*)?")],
    "mailchimp-key": MailchimpDetector.denylist,
    "npm-token": NpmDetector.denylist,
    "openai-key": [*OpenAIDetector.denylist, re.compile(r"sk-proj-[A-Za-z0-9_-]{40,}")],
    "password-in-url": BasicAuthDetector.denylist,
    "private-key": PrivateKeyDetector.denylist,
    "pypi-token": PypiTokenDetector.denylist,
    "sendgrid-key": SendGridDetector.denylist,
    "slack-token": SlackDetector.denylist,
    "square-token": SquareOAuthDetector.denylist,
    "stripe-key": StripeDetector.denylist,
    "telegram-token": TelegramBotTokenDetector.denylist,
    "twilio-key": TwilioKeyDetector.denylist,
}
_WHOLE = frozenset({"github-token", "gitlab-token"})
"""Their patterns' groups tell the kind of token only."""
_KEYWORD = KeywordDetector()
_PLACEHOLDER = re.compile(
    r"(?i)^(?:your|my|the|some|insert|enter|change|replace|example|sample|dummy|fake|test|placeholder|todo|none|null|true"
    r"|false|default|user|username|pass|passwd|password|pwd|secret|token|key|x+$|\*+$|\.+$|%|\$|\{|<|\[)"
)
_KEYWORD_LEAST = 8
_KEYWORD_ENTROPY = 3.0
_ALNUM = re.compile(r"[A-Za-z0-9]")
_BOUNDED = frozenset(
    {"aws-key", "google-key", "hugging-face-token", "databricks-token", "twilio-key", "mailchimp-key", "telegram-token"}
)


def secrets_of(line: str, file_name: str, rules: Sequence[str]) -> Iterator[Seen]:
    """What a line, of a few thousand characters at most, holds."""
    told = set()
    for rule in rules:
        for value in _by_keyword(line, file_name) if rule == KEYWORD else _by_shape(line, rule):
            if value not in told:
                told.add(value)
                yield Seen(rule, value)


def _by_shape(line: str, rule: str) -> Iterator[str]:
    for pattern in _PATTERNS[rule] if any(mark in line for mark in MARKS[rule]) else ():
        for match in pattern.finditer(line):
            value = match[0] if rule in _WHOLE else next(filter(None, match.groups()), match[0])
            if _plausible(rule, value, line):
                yield value


def _plausible(rule: str, value: str, line: str) -> bool:
    if rule == "private-key":
        return True
    if rule == "json-web-token":
        return JwtTokenDetector.is_formally_valid(value)
    if _PLACEHOLDER.match(value) or heuristic.is_templated_secret(value):
        return False
    return rule not in _BOUNDED or not _within_a_word(value, line)


def _within_a_word(value: str, line: str) -> bool:
    """Whether it is a piece of something longer, as in the base64 of an image."""
    start = line.find(value)
    around = line[max(0, start - 1) : start] + line[start + len(value) : start + len(value) + 1]
    return _ALNUM.search(around) is not None or "/" in around or "+" in around


def _by_keyword(line: str, file_name: str) -> Iterator[str]:
    if not has_keyword(line) or heuristic.is_indirect_reference(line):
        return
    patterns = REGEX_BY_FILETYPE.get(_file_type(file_name), QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP)
    for value in _KEYWORD.analyze_string(line, denylist_regex_to_group=patterns):
        if _looks_random(value):
            yield value


@cache
def _file_type(file_name: str) -> FileType:
    return determine_file_type(file_name)


def _looks_random(value: str) -> bool:
    """Whether a value beside a word such as `password` is one, and no placeholder, name or sentence."""
    if len(value) < _KEYWORD_LEAST or any(character.isspace() for character in value):
        return False
    if not any(character.isdigit() for character in value) or not any(character.isalpha() for character in value):
        return False
    if _PLACEHOLDER.match(value) or heuristic.is_templated_secret(value) or heuristic.is_sequential_string(value):
        return False
    return not heuristic.is_potential_uuid(value) and _entropy(value) >= _KEYWORD_ENTROPY


def _entropy(value: str) -> float:
    """Shannon's, in bits for each character."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())
