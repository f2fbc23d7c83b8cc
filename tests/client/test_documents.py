"""The client's types are what the server's description says."""

from __future__ import annotations

from typing import Any

import pytest

from mop.api.api import api
from mop_client import case_documents, documents, people_documents, release_documents, result_documents

# the client's name of a document → its schema in the server's description
SCHEMAS = {
    "Me": "MeOut",
    "Team": "TeamOut",
    "Taxonomy": "TaxonomyOut",
    "InstanceType": "InstanceTypeOut",
    "Task": "TaskOut",
    "Connection": "ConnectionOut",
    "Model": "ModelOut",
    "Queue": "QueueOut",
    "ErrorDocument": "ErrorDocument",
    "RevisionRow": "RevisionOut",
    "Revision": "RevisionDetail",
    "Event": "EventOut",
    "Timeline": "Timeline",
    "LogLine": "LineOut",
    "LogPage": "LogPageOut",
    "Share": "ShareOut",
    "Group": "GroupOut",
    "LabelShare": "LabelShare",
    "Binding": "BindingOut",
    "DatasetRow": "DatasetOut",
    "Dataset": "DatasetDetail",
    "GuideRow": "GuideOut",
    "Guide": "GuideDetail",
    "Email": "EmailOut",
    "Notification": "NotificationOut",
    "Webhook": "WebhookOut",
    "NewWebhook": "WebhookCreated",
    "DeliveryTry": "DeliveryTry",
    "Delivery": "DeliveryOut",
    "Problem": "Problem",
    "Interval": "IntervalOut",
    "Evaluation": "EvaluationOut",
    "EvaluationDetail": "EvaluationDetailOut",
    "Verification": "VerificationOut",
    "Headline": "HeadlineOut",
    "Rank": "RankOut",
    "LeaderboardEntry": "LeaderboardEntry",
    "Leaderboard": "LeaderboardOut",
    "Service": "ServiceOut",
    "ReleaseTask": "ReleaseTaskOut",
    "Release": "ReleaseOut",
    "ReleaseEvent": "ReleaseEventOut",
    "ReleaseDetail": "ReleaseDetail",
    "Precondition": "PreconditionOut",
    "Offer": "OfferOut",
    "Evidence": "EvidenceOut",
    "Live": "LiveOut",
    "Period": "PeriodOut",
    "User": "UserOut",
    "UserDetail": "UserDetail",
    "Thing": "ThingOut",
    "Belongings": "BelongingsOut",
    "Session": "SessionOut",
    "Link": "LinkOut",
    "Invitation": "InvitationOut",
    "NewInvitation": "InvitationCreated",
    "Quota": "QuotaOut",
    "TeamDetail": "TeamDetail",
    "Token": "TokenOut",
    "NewToken": "TokenCreated",
    "FixedBy": "FixedBy",
    "Comment": "CommentOut",
    "Similar": "SimilarOut",
    "Case": "CaseOut",
    "CaseDetail": "CaseDetail",
    "RowFault": "RowFaultOut",
    "Import": "ImportOut",
    "Access": "AccessOut",
    "GoldenVersion": "GoldenVersionOut",
    "GoldenSet": "GoldenSetOut",
    "GoldenRow": "GoldenRowOut",
    "GoldenRows": "GoldenRowsOut",
    "Failure": "FailureOut",
    "GoldenRun": "GoldenRunOut",
    "TaskRate": "TaskRateOut",
    "RegressionComparison": "RegressionComparisonOut",
    "Regression": "RegressionOut",
    "Outcome": "CaseOutcomeOut",
    "LoadTest": "LoadTestOut",
    "LoadTestRun": "LoadTestRunOut",
    "Bundle": "BundleOut",
    "GatePart": "GatePartOut",
    "GateRow": "GateRowOut",
    "GateReport": "GateReportOut",
    "Gate": "GateOut",
    "ServiceToken": "ServiceTokenOut",
    "NewServiceToken": "ServiceTokenCreated",
}
TYPES = {
    name: value
    for module in (documents, case_documents, result_documents, release_documents, people_documents)
    for name, value in vars(module).items()
    if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    schemas: dict[str, Any] = api.get_openapi_schema(path_prefix="/api/v1")["components"]["schemas"]
    return schemas


def test_every_document_of_the_client_is_held_to_a_schema():
    assert set(TYPES) == set(SCHEMAS)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_document_has_the_fields_that_the_server_gives(name: str, described: dict[str, Any]):
    assert {*TYPES[name].__required_keys__, *TYPES[name].__optional_keys__} == set(
        described[SCHEMAS[name]]["properties"]
    )
