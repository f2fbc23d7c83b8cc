"""Versions that gateways of an installation can serve: `python -m support.served_versions WHAT`, in its environment.

prepare          environment, service, key, and the versions v2.0.0 and v6.0.0, each of which finds its own
                 severity, 2 or 6, in the text `darn` for all four categories; prints the gateway's key
release VERSION  request and approve its release; prints the number
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import django

if __name__ == "__main__":
    django.setup()

from django.conf import settings

from mop.catalog.services import create_instance_type
from mop.environments import Environment
from mop.gateway.categories import CATEGORIES
from mop.gateway.services import rotate_key
from mop.hosting.preparation import build_environment, check_folder
from mop.hosting.tools import HostTools, open_host_tools
from mop.registry.models import Revision
from mop.releases.models import Service
from mop.storage import SnapshotLimits, store_folder
from support.factories import ACTOR, count_on_from, make_task, put
from support.model_folders import write_model
from support.releases import approved, make_releasable, make_service, next_version
from support.scans import keep_scan

SERVICE = "Content Safety"
LEVELS = {"v2.0.0": 2, "v6.0.0": 6}
CONVERTERS = """
    def convert_acs_text_request_to_model_inference_input(self, request):
        return {"text": request.text}

    def convert_model_inference_output_to_acs_text_response(self, output):
        from mop_utils.util import AcsTextResponse
        response = AcsTextResponse()
        for found in (response.hate, response.self_harm, response.sexual, response.violence):
            found.severity_level = LEVEL if output["bad"] else 0
            found.harmful_score = 0.9
        return response
"""


def main() -> None:
    """Do what the command line says."""
    what, *rest = sys.argv[1:]
    print(prepare() if what == "prepare" else release(*rest))  # noqa: T201 - the caller reads it


def prepare() -> str:
    """What is served, and by whom."""
    count_on_from(1000)  # the installation has people already
    tools = open_host_tools()
    small = create_instance_type(actor=ACTOR, name="small", vcpus=1, memory_gib=0.5)  # a switch runs four of them
    model = make_releasable(*(make_task(taxonomy=one.taxonomy) for one in CATEGORIES)).model
    first = model.revisions.get()
    put(model.revisions.all(), version="v2.0.0")
    environment = None
    for revision in (first, next_version(model, "v6.0.0")):
        folder = _write(settings.MOP_FILE_ROOTS[0], Revision.objects.get(pk=revision.pk))
        environment = environment or asyncio.run(_environment(folder, tools))
        manifest = asyncio.run(store_folder(folder, tools.artifacts, limits=SnapshotLimits(), log=_drop))
        put(Revision.objects.filter(pk=revision.pk), artifact_digest=manifest.digest, instance_type=small)
        keep_scan(revision, environment_digest=environment.files)
    return rotate_key(actor=ACTOR, service=make_service(SERVICE), number=1)


def release(version: str) -> int:
    """An approved release of a version."""
    return approved(Revision.objects.get(version=version), Service.objects.get()).pk


def _write(root: Path, revision: Revision) -> Path:
    folder = write_model(root / revision.version)
    script = folder / "src" / "inference.py"
    script.write_text(script.read_text() + CONVERTERS.replace("LEVEL", str(LEVELS[revision.version])))
    return folder


async def _environment(folder: Path, tools: HostTools) -> Environment:
    return await build_environment(await check_folder(folder, tools=tools, log=_drop), tools=tools, log=_drop)


def _drop(_line: str) -> None:
    pass


if __name__ == "__main__":
    main()
