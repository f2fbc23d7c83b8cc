"""The client's words are the server's; the client cannot import them."""

from __future__ import annotations

import pytest

from mop.catalog.models import LabelType, Modality
from mop.datasets.models import LabelType as DatasetType
from mop.datasets.states import DatasetStatus
from mop.dsat.models import Kind
from mop.dsat.states import CaseState
from mop.evaluation.reports.names import AVERAGES, METRICS
from mop.loadtest.plan import Arrivals, Strategy
from mop.registry.statuses import CHAIN, RevisionStatus
from mop.releases.models import Policy, ServiceKind
from mop.releases.release_models import ServiceScope
from mop.releases.release_states import ReleaseState
from mop.sources.purposes import Purpose
from mop_client import words


@pytest.mark.parametrize(
    ("known", "kinds"),
    [
        (words.MODALITIES, Modality),
        (words.LABEL_TYPES, LabelType),
        (words.REVISION_STATUSES, RevisionStatus),
        (words.DATASET_TYPES, DatasetType),
        (words.DATASET_STATUSES, DatasetStatus),
        (words.STRATEGIES, Strategy),
        (words.ARRIVALS, Arrivals),
        (words.CASE_STATES, CaseState),
        (words.CASE_KINDS, Kind),
        (words.SERVICE_KINDS, ServiceKind),
        (words.SERVICE_POLICIES, Policy),
        (words.SERVICE_SCOPES, ServiceScope),
        (words.RELEASE_STATES, ReleaseState),
        (words.SOURCE_PURPOSES, Purpose),
    ],
)
def test_the_client_knows_the_server_s_words(known, kinds):
    assert sorted(known) == sorted(str(kind.value) for kind in kinds)


def test_the_client_knows_metrics_and_averages():
    assert tuple(METRICS) == words.METRICS
    assert tuple(AVERAGES) == words.AVERAGES


def test_the_way_of_a_revision_is_known_in_its_order():
    assert tuple(status.value for status in CHAIN) == words.REVISION_PATH
