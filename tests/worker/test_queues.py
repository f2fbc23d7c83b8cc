from __future__ import annotations

import pytest
from pytest_django import Settings

from mop.catalog.models import InstanceType
from mop.datasets.area import VERIFY
from mop.engine.runtime import WorkQueue
from mop.findings.names import SCANS_QUEUE
from mop.pipeline.area import PIPELINES_AT_ONCE
from mop.registry.names import PIPELINE_QUEUE
from mop.worker.host import queues_of
from support.factories import make_model

DATASETS = VERIFY.queue.name
pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


@pytest.fixture(autouse=True)
def many_hosts(settings: Settings) -> None:
    settings.MOP_SINGLE_HOST = False
    settings.MOP_WORKER_CONCURRENCY = 3


def test_a_worker_takes_every_enabled_type_without_a_gpu():
    InstanceType.objects.filter(name="Standard_F8s_v2").update(is_enabled=False)
    queues = queues_of(())
    of_the_installation = {WorkQueue(PIPELINE_QUEUE, PIPELINES_AT_ONCE), WorkQueue(SCANS_QUEUE, 1)}
    assert of_the_installation < set(queues)
    expected = {row.queue_name for row in InstanceType.objects.filter(is_enabled=True, gpus=0)}
    of_types = [queue for queue in queues if queue.name.startswith("instance:")]
    work = [queue for queue in of_types if not queue.name.endswith((":load-tests", ":trials", ":evaluations"))]
    assert {queue.name for queue in work} == expected
    assert {queue.concurrency for queue in work} == {3}
    assert InstanceType.objects.get(name="Standard_F8s_v2").queue_name not in expected


def test_a_retired_type_is_taken_as_long_as_a_version_has_it():
    """What was verified is evaluated, load-tested and tried with the type that it has."""
    retired = InstanceType.objects.get(name="Standard_F8s_v2")
    make_model(instance_type=retired)
    InstanceType.objects.filter(pk=retired.pk).update(is_enabled=False)
    for given in ((), (retired.name,)):
        assert {f"{retired.queue_name}{kind}" for kind in ("", ":load-tests", ":evaluations", ":trials")} <= {
            queue.name for queue in queues_of(given)
        }


def test_a_worker_for_named_types_takes_these_and_the_pipelines():
    wanted = InstanceType.objects.get(name="Standard_F4s_v2")
    names = {queue.name for queue in queues_of((wanted.name,))}
    assert names > {PIPELINE_QUEUE, SCANS_QUEUE, DATASETS, wanted.queue_name}
    assert all(name.startswith(wanted.queue_name) for name in names if name.startswith("instance:"))


def test_load_tests_and_tries_of_each_type_have_queues_of_their_own():
    wanted = InstanceType.objects.get(name="Standard_F4s_v2")
    assert set(queues_of((wanted.name,))) > {
        WorkQueue(f"{wanted.queue_name}:load-tests", 1),
        WorkQueue(f"{wanted.queue_name}:trials", 2),
    }


def test_on_one_host_all_types_share_one_queue(settings: Settings):
    settings.MOP_SINGLE_HOST = True
    for given in ((), ("Standard_F4s_v2", "Standard_F8s_v2")):
        names = {queue.name for queue in queues_of(given) if queue.name.startswith("instance:")}
        assert names == {"instance:any", *(f"instance:any:{kind}" for kind in ("load-tests", "trials", "evaluations"))}


def test_an_unknown_type_is_refused_with_the_known_ones():
    with pytest.raises(SystemExit, match=r"Unknown instance types: Standard_Z9\. Known are .*Standard_F4s_v2"):
        queues_of(("Standard_Z9", "Standard_F4s_v2"))


def test_a_worker_on_a_database_without_tables_says_what_makes_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(InstanceType._meta, "db_table", "a_table_of_nobody")
    with pytest.raises(SystemExit, match="`mop up`"):
        queues_of(())


def test_a_host_without_gpus_takes_no_type_with_some(monkeypatch: pytest.MonkeyPatch):
    gpu = InstanceType.objects.filter(gpus__gt=0).first() or InstanceType.objects.create(
        name="Standard_G1", vcpus=1, memory_gib=1, gpus=1
    )
    monkeypatch.setattr("mop.worker.host.host_gpus", lambda: 0)
    with pytest.raises(SystemExit, match=rf"no NVIDIA GPUs.*{gpu.name} \({gpu.gpus}\)"):
        queues_of((gpu.name,))
    monkeypatch.setattr("mop.worker.host.host_gpus", lambda: gpu.gpus)
    InstanceType.objects.filter(pk=gpu.pk).update(is_enabled=True)
    assert gpu.queue_name in {queue.name for queue in queues_of((gpu.name,))}
