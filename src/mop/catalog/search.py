"""Tasks in the portal's search."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q
from django.urls import reverse

from mop.accounts.models import User
from mop.catalog.models import Task
from mop.ui.search import Hit, Search


def find_tasks(_user: User, text: str, limit: int) -> Sequence[Hit]:
    """Tasks by name and description; everybody who is signed in sees them."""
    fitting = Task.objects.filter(Q(name__icontains=text) | Q(description__icontains=text)).order_by("name")
    return [Hit(task.name, reverse("catalog:task", args=[task.pk]), task.description) for task in fitting[:limit]]


TASKS = Search("Tasks", "tasks", find_tasks)
