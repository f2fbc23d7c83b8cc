"""A load test of each model's v4.0.0 in the world of the permission tests; v3.0.0 has none."""

from __future__ import annotations

from mop.areas.permissions import Row
from mop.registry.models import Revision
from support.load_tests import enabled
from support.permission_world import Part, World


def _prepare(_world: World) -> None:
    for revision in Revision.objects.filter(version="v4.0.0"):
        enabled(revision)


def _names(_world: World, row: Row) -> dict[str, object]:
    if "/load-test" not in row.path:
        return {}
    is_start = row.method == "POST" and "/cancel" not in row.path
    return {"kind": "json", "version": "v3.0.0" if is_start else "v4.0.0"}


PART = Part(
    prepare=_prepare,
    names=_names,
    bodies=lambda _world, _row: {("POST", "/models/{name}/revisions/{version}/load-test"): {"steps": [1]}},
)
