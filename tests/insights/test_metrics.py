"""What an installation counts, in Prometheus' text format."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from mop.errors import DiskFullError
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.live_models import Routing
from mop.insights.metrics import text
from mop.notifications.alerts import raise_alert
from mop.prometheus_text import sample
from mop.registry.models import Revision
from mop.regression.models import RegressionRun
from mop.serving.metrics import Metrics
from support.api import Api
from support.factories import ACTOR, make_model, make_token, make_user, put


def samples(page: str) -> dict[str, float]:
    """Every sample of a page; each metric has one head, directly before its samples."""
    found: dict[str, float] = {}
    metric, heads = "", set()
    for line in page.splitlines():
        if line.startswith("#"):
            _, _, metric, _ = line.split(" ", 3)
            heads.add(line)
        else:
            name, _, value = line.rpartition(" ")
            assert name.partition("{")[0].startswith(metric), line
            assert name not in found
            found[name] = float(value)
    assert len(heads) == sum(line.startswith("#") for line in page.splitlines())
    return found


@pytest.mark.django_db
def test_all_durable_work_is_counted_by_state(django_assert_max_num_queries):
    user = make_user()
    for number in range(3):
        make_model(f"model-{number}", owner=user)
    put(Revision.objects.filter(model__name="model-0"), status="verified")
    long_ago = timezone.now() - dt.timedelta(seconds=500)
    put(Revision.objects.filter(model__name="model-1"), status="created", status_changed_at=long_ago)
    put(Revision.objects.filter(model__name="model-2"), status="created", status_changed_at=timezone.now())
    raise_alert(actor=ACTOR, fault=DiskFullError("no room"))
    RegressionRun.objects.create(revision=Revision.objects.first(), state="queued", queued_at=timezone.now())
    with django_assert_max_num_queries(14):
        found = samples(text())
    assert found['mop_work{kind="revision",state="created"}'] == 2
    assert found['mop_work{kind="revision",state="verified"}'] == 1
    assert found['mop_work{kind="regression_run",state="queued"}'] == 1
    assert found['mop_work{kind="load_test",state="running"}'] == 0
    assert 500 <= found['mop_work_oldest_seconds{kind="revision",state="created"}'] < 560
    assert found['mop_work_oldest_seconds{kind="load_test",state="queued"}'] == 0
    assert 'mop_work_oldest_seconds{kind="revision",state="verified"}' not in found
    kinds = {name.split('"')[1] for name in found if name.startswith("mop_work{")}
    assert kinds >= {"dataset", "evaluation", "golden_run", "contract_run", "trial", "import"}
    assert found['mop_alerts_open{fault="DiskFullError"}'] == 1
    assert 0 < found["mop_disk_free_bytes"] < found["mop_disk_size_bytes"]
    assert found["mop_workers"] == 0


@pytest.mark.django_db
def test_a_scraper_reads_it_with_a_token_of_an_administrator():
    root = make_user("root", is_administrator=True)
    answer = Api(token=make_token(root, scopes=("administration:read",))).get("/metrics")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert samples(answer.content.decode())
    assert Api(token=make_token(root, scopes=("models:read",))).get("/metrics").status_code == 403


def test_no_digit_of_a_count_is_lost():
    service, gateway = Metrics(worker=3), GatewayMetrics('a "service"')
    service.requests[200] = gateway.switches = 1_234_567
    service.latency.observe(0.25)
    found = samples(service.text({"memory_bytes": (98_765_432.0, "Memory.")}))
    assert found['mop_service_requests_total{worker="3",code="200"}'] == 1_234_567
    assert found['mop_service_memory_bytes{worker="3"}'] == 98_765_432
    assert found['mop_service_request_seconds_bucket{worker="3",le="0.25"}'] == 1
    assert found['mop_service_request_seconds_sum{worker="3"}'] == 0.25
    found = samples(gateway.text(Routing(), connections=0, in_flight=0))
    assert found['mop_gateway_switches_total{service="a \\"service\\""}'] == 1_234_567
    assert found["mop_gateway_request_seconds_count"] == 0


def test_labels_are_escaped():
    assert sample("x", 1, {"a": 'q"\\\n'}) == 'x{a="q\\"\\\\\\n"} 1'
