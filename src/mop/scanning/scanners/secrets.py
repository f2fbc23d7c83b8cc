"""Scanner `secrets`: passwords, keys and tokens left in texts of the model folder. Tells where, never what."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from mop.scanning.deadline import DeadlineError, deadline
from mop.scanning.findings import Finding, ScanReport, Severity, costly, not_seen_whole, too_slow
from mop.scanning.limits import MIB
from mop.scanning.scanner import Looking, Subject
from mop.scanning.scanners.secret_marks import KEYWORD, Seen, rules_of

NAME = "secrets"
BYTES_MAX = 64 * MIB
"""Of one file; what lies behind is said to be unread."""
SECONDS = 30.0
"""Of processor time for one file, besides those for its bytes."""
FINDINGS_MAX = 10
"""Of one file; one more tells that there are others."""
LINE_CHARACTERS = 8192
"""A longer line is looked at in pieces of this length, which overlap by half."""

_OVERLAP = LINE_CHARACTERS // 2
_BLOCK_CHARACTERS = 64 * 1024
_HEAD_BYTES = 8192
_SHOWN = 4
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WHAT = {
    "anthropic-key": "an API key of Anthropic",
    "aws-key": "an access key of AWS",
    "azure-client-secret": "a client secret of Microsoft Entra ID",
    "azure-shared-access-key": "a shared access key of Azure",
    "azure-shared-access-signature": "a shared access signature of Azure",
    "azure-storage-key": "an access key of an Azure storage account",
    "connection-string": "a connection string with its password",
    "google-key": "an API key of Google",
    "json-web-token": "a JSON web token",
    "openai-key": "an API key of OpenAI",
    "password-in-url": "an address with a password",
    "private-key": "a private key",
    KEYWORD: "a password or key",
}
_HINT = (
    "Remove it from the folder, then revoke it and issue a new one: everybody who could read the folder has it. "
    "A model needs no secrets: MOP's cage has no network."
)
_UNREAD_HINT = "Split the file, or make sure yourself that it holds no passwords, keys or tokens."


class Secrets:
    """Reads texts line by line. What is no text, by its first bytes, is not looked at."""

    name = NAME

    def is_for(self, _path: str) -> bool:
        """Any file may be a text."""
        return True

    def scan(self, subject: Subject) -> Iterator[Looking | ScanReport]:
        """Findings, and a verdict for a file that was not read to its end."""
        for name, path in subject.files():
            yield Looking(name)
            limits = replace(subject.limits, seconds=min(SECONDS, subject.limits.seconds))
            yield _look(name, path, limits.seconds_for(min(path.lstat().st_size, BYTES_MAX)))


def _look(name: str, path: Path, seconds: float) -> ScanReport:
    found: dict[Seen, int] = {}
    unread, is_costly = "", False
    try:
        with deadline(seconds):
            unread = _read(path, found)
    except OSError as error:
        unread = f"it cannot be read: {error.strerror}"
    except DeadlineError:
        unread, is_costly = too_slow(seconds), True
    except Exception as error:  # noqa: BLE001 - a file may break any pattern; its text stays out of what is told
        unread = f"it cannot be followed: {type(error).__name__}"
    findings = [_finding(name, seen, line) for seen, line in [*found.items()][:FINDINGS_MAX]]
    if len(found) > FINDINGS_MAX:
        findings.append(_more(name))
    if not unread:
        return ScanReport((), tuple(findings))
    if is_costly:
        unseen = costly(NAME, name, unread, hint=_UNREAD_HINT)
    else:
        unseen = not_seen_whole(NAME, name, unread, hint=_UNREAD_HINT, severity=Severity.LOW)
    return ScanReport(unseen.files, (*findings, *unseen.findings))


def _read(path: Path, found: dict[Seen, int]) -> str:
    """Collect secrets with the lines that they were first seen in; why some of the file was not read, if so."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    wide = head.startswith(_UTF_16)
    if not wide and b"\0" in head:
        return ""
    with path.open(encoding="utf-16" if wide else "utf-8", errors="replace") as text:
        left = BYTES_MAX
        for first, block in _blocks(text):
            left -= len(block)
            if left < 0:
                return f"it is a text of more than {BYTES_MAX:,} characters"
            if rules := rules_of(block):
                _collect(block, first, path.name, rules, found)
            if len(found) > FINDINGS_MAX:
                return ""
    return ""


def _blocks(text: TextIO) -> Iterator[tuple[int, str]]:
    """Whole lines, many at once, with the number of the first; a line longer than a block in pieces that overlap."""
    number, carried = 1, ""
    while chunk := text.read(_BLOCK_CHARACTERS):
        block = carried + chunk
        end = block.rfind("\n") + 1
        yield number, block[:end] or block
        number += block.count("\n")
        carried = block[end:] if end else block[-_OVERLAP:]
    yield number, carried


def _collect(block: str, first: int, file_name: str, rules: Sequence[str], found: dict[Seen, int]) -> None:
    from mop.scanning.scanners.secret_shapes import secrets_of  # noqa: PLC0415 - it brings much; most need none of it

    for number, line in enumerate(block.split("\n"), first):
        for start in range(0, max(1, len(line) - _OVERLAP), _OVERLAP):
            for seen in secrets_of(line[start : start + LINE_CHARACTERS], file_name, rules):
                _note(seen, number, found)
                if len(found) > FINDINGS_MAX:
                    return


def _note(seen: Seen, number: int, found: dict[Seen, int]) -> None:
    """Remember it, once: the end of a piece may have cut it off, and the next piece has it whole."""
    for other, line in [*found.items()]:
        if (other.rule, line) == (seen.rule, number) and seen.value.startswith(other.value):
            del found[other]
    found.setdefault(seen, number)


def _finding(name: str, seen: Seen, line: int) -> Finding:
    what = _WHAT.get(seen.rule, f"a {seen.rule.replace('-', ' ')}")
    return Finding(
        scanner=NAME,
        rule=seen.rule,
        severity=Severity.MEDIUM,
        path=name,
        message=f"{name} line {line} holds what looks like {what}{_hint(seen)}.",
        hint=_HINT,
        position=f"line {line}",
    )


def _hint(seen: Seen) -> str:
    """Enough for its owner to find it: at most its first characters, fewer of a short one, and its length."""
    if seen.rule == "private-key":
        return ""
    shown = seen.value[: min(_SHOWN, len(seen.value) // 4)]
    begins = f"begins with {shown!r}, " if shown.isprintable() and shown else ""
    return f" ({begins}{len(seen.value)} characters)"


def _more(name: str) -> Finding:
    return Finding(
        scanner=NAME,
        rule="more",
        severity=Severity.MEDIUM,
        path=name,
        message=f"{name} holds more than {FINDINGS_MAX} of what looks like secrets; the rest was not looked at.",
        hint="Remove those that are listed, and scan again.",
    )
