"""What findings mean for a revision: the policy file, waivers, and the decision."""

from __future__ import annotations

import datetime as dt
import enum
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from mop.scanning.findings import Finding, ScanReport, Severity

_NEVER = "never"
_KEYS = frozenset({"block", "warn", "rules"})


class Action(enum.StrEnum):
    """What a finding does."""

    BLOCK = "block"
    WARN = "warn"
    NOTE = "note"


@dataclass(frozen=True)
class Policy:
    """Which findings block and which warn.

    Attributes:
        block: the least severity that blocks; None for none.
        warn: the least severity that warns; None for none.
        rules: actions by `scanner/rule` or `scanner/*`, in place of the severity.
    """

    block: Severity | None = Severity.CRITICAL
    warn: Severity | None = Severity.LOW
    rules: Mapping[str, Action] = field(default_factory=dict)

    def action(self, finding: Finding) -> Action:
        """What this finding does, waivers aside."""
        for name in (f"{finding.scanner}/{finding.rule}", f"{finding.scanner}/*"):
            if name in self.rules:
                return self.rules[name]
        if self.block is not None and finding.severity.rank >= self.block.rank:
            return Action.BLOCK
        if self.warn is not None and finding.severity.rank >= self.warn.rank:
            return Action.WARN
        return Action.NOTE


@dataclass(frozen=True)
class Waiver:
    """Somebody's word that a finding may be, until a day.

    Attributes:
        scanner: name of the scanner.
        rule: name of its rule.
        path: the finding's path; `*` stands for any characters.
        owner: who answers for it.
        reason: why it may be.
        until: the last day on which it holds.
        identifier: the advisory's or one of its aliases, for one of several on the same path; empty for any.
    """

    scanner: str
    rule: str
    path: str
    owner: str
    reason: str
    until: dt.date
    identifier: str = ""

    def covers(self, finding: Finding, today: dt.date) -> bool:
        """Whether it holds for this finding on this day."""
        return (
            today <= self.until
            and (self.scanner, self.rule) == (finding.scanner, finding.rule)
            and fits(self.path, finding.path)
            and self.identifier in {"", finding.details.get("identifier", ""), *finding.details.get("aliases", ())}
        )


@dataclass(frozen=True)
class Decision:
    """What a report means.

    Attributes:
        blocked: findings that make the revision vulnerable.
        warned: findings that are shown as warnings, the waived ones included.
        waived: of these, those that only a waiver keeps from blocking, each with its waiver.
    """

    blocked: tuple[Finding, ...]
    warned: tuple[Finding, ...]
    waived: tuple[tuple[Finding, Waiver], ...]


def fits(pattern: str, path: str) -> bool:
    """Whether a path is what a pattern says, in which each `*` stands for any characters, none among them.

    Takes time in proportion to both, whatever they are: paths are strangers'.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == path
    *middle, last = rest
    place, end = len(first), len(path) - len(last)
    if place > end or not path.startswith(first) or not path.endswith(last):
        return False
    for part in middle:  # the earliest place leaves the most for the others
        found = path.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def decide(report: ScanReport, policy: Policy, waivers: Iterable[Waiver], *, today: dt.date) -> Decision:
    """Apply the policy and the waivers to a report.

    A scanner that did not finish does not block by itself: its files are not fully scanned, which is a
    finding's worth of its own.
    """
    held = tuple(waivers)
    blocked, warned, waived = [], [], []
    for finding in report.findings:
        action = policy.action(finding)
        waiver = next((one for one in held if one.covers(finding, today)), None)
        if action == Action.BLOCK and waiver is None:
            blocked.append(finding)
            continue
        if action == Action.BLOCK and waiver is not None:
            waived.append((finding, waiver))
        if action != Action.NOTE:
            warned.append(finding)
    return Decision(tuple(blocked), tuple(warned), tuple(waived))


def findings_with_actions(report: ScanReport, decision: Decision) -> list[dict[str, Any]]:
    """The JSON form of a report's findings, each with the `action` that was decided: block, warn or note."""
    actions = actions_of(report, decision)
    return [
        {**finding.to_dict(), "action": action.value} for finding, action in zip(report.findings, actions, strict=True)
    ]


def actions_of(report: ScanReport, decision: Decision) -> list[Action]:
    """What was decided about each finding of the report that the decision is about, in their order."""
    blocked, warned = ({id(finding) for finding in some} for some in (decision.blocked, decision.warned))
    return [
        Action.BLOCK if id(finding) in blocked else Action.WARN if id(finding) in warned else Action.NOTE
        for finding in report.findings
    ]


def default_policy_text() -> str:
    """The file of the policy of an installation that has none of its own."""
    return resources.files("mop.scanning").joinpath("default_policy.toml").read_text(encoding="utf-8")


def is_kind_of_finding(scanner: str, rule: str) -> bool:
    """Whether these can be the names of a scanner and of one of its rules."""
    return all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in (scanner, rule))


def read_policy(text: str) -> Policy:
    """A policy file.

    Raises:
        ValueError: it is no TOML, holds an unknown key, severity or action; the message says which.
    """
    content = tomllib.loads(text)
    if unknown := sorted(set(content) - _KEYS):
        raise ValueError(f"unknown keys {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}")
    rules = content.get("rules", {})
    if not isinstance(rules, dict) or any("/" not in name for name in rules):
        raise ValueError("[rules] holds names of the form scanner/rule or scanner/*")
    return Policy(
        block=_severity(content.get("block", Severity.CRITICAL), "block"),
        warn=_severity(content.get("warn", Severity.LOW), "warn"),
        rules={name: _action(value, name) for name, value in rules.items()},
    )


def _severity(value: object, key: str) -> Severity | None:
    if value == _NEVER:
        return None
    try:
        return Severity(str(value))
    except ValueError:
        raise ValueError(f"{key} = {value!r} is none of {', '.join(Severity)}, {_NEVER}") from None


def _action(value: object, name: str) -> Action:
    try:
        return Action(str(value))
    except ValueError:
        raise ValueError(f"{name} = {value!r} is none of {', '.join(Action)}") from None
