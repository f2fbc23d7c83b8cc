"""The policy by which tests decide about findings."""

from __future__ import annotations

from mop.scanning.policy import Policy, default_policy_text, read_policy


def default_policy() -> Policy:
    """The policy of an installation that has none of its own."""
    return read_policy(default_policy_text())
