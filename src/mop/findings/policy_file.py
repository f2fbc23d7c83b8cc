"""The installation's policy of findings: `policy.toml` in MOP_HOME, else MOP's own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from mop.errors import PolicyFileError
from mop.scanning.policy import Policy, default_policy_text, read_policy

NAME = "policy.toml"


@dataclass(frozen=True)
class InstallationPolicy:
    """A policy and what names it: the SHA-256 of its text, and whether it is the installation's own."""

    policy: Policy
    digest: str
    is_own: bool


def policy_path() -> Path:
    """Where an installation's own policy stands."""
    home: Path = settings.MOP_HOME
    return home / NAME


def installation_policy() -> InstallationPolicy:
    """The policy that holds now; it is read anew each time, so that a change needs no restart.

    Raises:
        PolicyFileError: the file cannot be read. MOP's own policy does not take its place: it may allow more.
    """
    path = policy_path()
    try:
        text, is_own = path.read_text(encoding="utf-8"), True
    except FileNotFoundError:
        text, is_own = default_policy_text(), False
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyFileError(f"{path} cannot be read: {error}") from error
    try:
        policy = read_policy(text)
    except ValueError as error:
        raise PolicyFileError(f"{path}: {error}") from error
    return InstallationPolicy(policy, hashlib.sha256(text.encode()).hexdigest(), is_own)
