"""What the API takes and gives about DSAT cases."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from mop.accounts.schemas import InputSchema
from mop.dsat.models import COMMENT_MAX, DESCRIPTION_MAX, LABEL_MAX, SERVICE_MAX, TAGS_MAX, TRACE_ID_MAX
from mop.dsat.states import CaseState, ImportState
from mop.errors import ErrorDocument

KindName = Literal["falsePositive", "falseNegative"]


class CaseIn(InputSchema):
    """A new case."""

    task: str
    content: dict[str, Any] = Field(description="`text`; or `image` (base64); or `text` and `images`")
    expected_label: str = Field(default="", max_length=LABEL_MAX, description="may be left out where `kind` is given")
    kind: KindName | None = Field(default=None, description="may be left out where `expected_label` is given")
    predicted_label: str = Field(default="", max_length=LABEL_MAX, description="what the service answered")
    trace_id: str = Field(default="", max_length=TRACE_ID_MAX)
    description: str = Field(default="", max_length=DESCRIPTION_MAX)
    tags: list[str] = Field(default=[], max_length=TAGS_MAX)
    service: str = Field(default="", max_length=SERVICE_MAX, description="the downstream service that it comes from")
    restricted: bool = Field(default=False, description="submitter and assignee alone read the content")


class CasePatch(InputSchema):
    """What of a case can change; what is left out stays."""

    expected_label: str | None = Field(default=None, max_length=LABEL_MAX)
    kind: KindName | Literal[""] | None = None
    predicted_label: str | None = Field(default=None, max_length=LABEL_MAX)
    trace_id: str | None = Field(default=None, max_length=TRACE_ID_MAX)
    description: str | None = Field(default=None, max_length=DESCRIPTION_MAX)
    tags: list[str] | None = Field(default=None, max_length=TAGS_MAX)
    service: str | None = Field(default=None, max_length=SERVICE_MAX)


class FixedBy(InputSchema):
    """A version of a model."""

    model: str
    version: str


class CaseOut(Schema):
    """A case. Description, tags and trace id are null for those who may not read its content."""

    number: str
    task: str
    state: CaseState
    state_description: str
    kind: KindName | None
    expected_label: str | None
    predicted_label: str | None
    service: str
    submitter: str | None
    assignee: str | None
    restricted: bool
    edition: int
    fixed_by: FixedBy | None
    created_at: dt.datetime
    changed_at: dt.datetime
    may_read: bool
    description: str | None
    tags: list[str] | None
    trace_id: str | None


class CommentOut(Schema):
    """What somebody said about a case."""

    author: str
    created_at: dt.datetime
    text: str


class SimilarOut(Schema):
    """A near duplicate, and the estimated Jaccard similarity."""

    number: str
    similarity: float


class CaseDetail(CaseOut):
    """A case with its comments and near duplicates that the caller may read."""

    comments: list[CommentOut]
    similar: list[SimilarOut]


class CasePage(Schema):
    """Cases, newest first; `next` is the cursor of the page after, null on the last."""

    items: list[CaseOut]
    next: str | None


class CaseContentOut(Schema):
    """What the service was asked: one model item. That it was opened is in the audit log."""

    number: str
    content: dict[str, Any]


class AssignIn(InputSchema):
    """Whose case it is."""

    username: str | None = Field(description="null: nobody's")


class FixIn(InputSchema):
    """Which version answers the case as expected; both left out where it is none of MOP's."""

    model: str = ""
    version: str = ""


class RestrictIn(InputSchema):
    """Who reads the content."""

    restricted: bool


class CommentIn(InputSchema):
    """What to say to those who read the content."""

    text: str = Field(min_length=1, max_length=COMMENT_MAX)


class ImportIn(InputSchema):
    """A file that is announced; its parts follow."""

    task: str
    file_name: str = Field(min_length=1, max_length=255, description="ends with .csv, .tsv, .jsonl or .ndjson")
    size: int = Field(ge=1, description="bytes of the file")
    service: str = Field(default="", max_length=SERVICE_MAX)
    restricted: bool = False


class PartIn(InputSchema):
    """A part of the file: 1 MiB, but for the last one."""

    data: str = Field(max_length=1_500_000, description="base64")


class RowFaultOut(Schema):
    """Why a row was refused; nothing of the row is quoted."""

    row: int
    column: str
    reason: str


class ImportOut(Schema):
    """An import and its report."""

    id: uuid.UUID
    task: str
    file_name: str
    size: int
    state: ImportState
    state_description: str
    is_final: bool
    percent: int
    rows: int
    added: int
    known: int
    refused: int
    faults: list[RowFaultOut]
    error: ErrorDocument | None
    created_at: dt.datetime


class AccessIn(InputSchema):
    """A team that may read; left out: the administrator who asks."""

    team: str | None = None


class AccessOut(Schema):
    """Who reads the cases of a task beside its owners."""

    id: int
    team: str | None
    administrator: str | None
    granted_by: str
    granted_at: dt.datetime
