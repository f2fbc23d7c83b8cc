"""The durable work of bundles by name; its function stands in `workflows`, which only workers import."""

from __future__ import annotations

WORKFLOW = "releases.bundle"
QUEUE = "bundles"
