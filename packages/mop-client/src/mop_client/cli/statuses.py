"""A revision's statuses as the API words them; the CLI imports no server."""

from __future__ import annotations

CHAIN = (
    "created",
    "dataDownloaded",
    "environmentCreating",
    "environmentCreated",
    "endpointCreating",
    "endpointCreated",
    "deploymentCreating",
    "deploymentCreated",
    "verified",
)
"""The straight way."""
