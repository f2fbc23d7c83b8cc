"""`mop_client.cli.completion`, for the commands that stand in the server's package."""

from __future__ import annotations

from mop_client.cli.completion import datasets, groups, instance_types, models, tasks, teams, versions

__all__ = ["datasets", "groups", "instance_types", "models", "tasks", "teams", "versions"]
