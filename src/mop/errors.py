"""The one catalogue of MOP's expected failures.

The class name is the error's name everywhere: database, API, portal, CLI, docs.

    MopError
    ├── ModelFault               the model folder or its code must change; the revision ends in verifyFailed
    ├── DatasetFault             the dataset's file must change; the dataset ends in verifyFailed
    ├── OutsideFault             a cause outside the model; the revision waits in toBeRetried
    │   └── PlatformFault        the installation itself is at fault; alerts the operator, does not count as a try
    ├── ServiceFault             what a running model service answers to a caller
    └── RequestFault             what the API and portal answer to a caller
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

CATALOGUE: dict[str, type[MopError]] = {}


class MopError(Exception):
    """An expected failure: what happened (message), where (place), and how to fix it.

    Attributes:
        message: names the rule, the place, the labels or values seen.
        hint: one sentence that tells the reader what to do.
        place: file and line, JSON path or field, where known.
        also: the messages of further rules that failed; the first failing rule is the error.
        source: numbers and texts of the lines around the place, for those who may read the files.
    """

    http_status: ClassVar[int] = HTTPStatus.INTERNAL_SERVER_ERROR
    title: ClassVar[str] = "MOP failed"
    default_hint: ClassVar[str] = ""
    docs_page: ClassVar[str] = "errors"

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Enter the class in the catalogue under its own name."""
        super().__init_subclass__(**kwargs)
        CATALOGUE[cls.__name__] = cls

    def __init__(
        self, message: str, *, hint: str | None = None, place: str | None = None, also: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.default_hint
        self.place = place
        self.also = tuple(also)
        self.source: Sequence[tuple[int, str]] = ()

    @property
    def name(self) -> str:
        """The catalogue name."""
        return type(self).__name__

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; `from_dict` reads it back."""
        return {
            "name": self.name,
            "message": self.message,
            "hint": self.hint,
            "place": self.place,
            "also": list(self.also),
        } | ({"source": [list(line) for line in self.source]} if self.source else {})

    def to_problem(self) -> dict[str, Any]:
        """The body of an `application/problem+json` answer (RFC 9457); `detail` repeats `message` for its readers."""
        return {
            "type": f"urn:mop:error:{self.name}",
            "title": self.title,
            "status": int(self.http_status),
            "detail": self.message,
            **self.to_dict(),
        }


@dataclass(frozen=True)
class ErrorDocument:
    """Why something failed: the catalogue's name, what was seen, what to do. The JSON form of a MopError as a type."""

    name: str
    message: str
    hint: str
    place: str | None
    also: tuple[str, ...]

    def error(self) -> MopError:
        """The error that is described."""
        return from_dict(dataclasses.asdict(self))


def from_dict(data: dict[str, Any]) -> MopError:
    """The error that `MopError.to_dict` described, as its own class (a bare MopError if the name is unknown)."""
    cls = CATALOGUE.get(str(data.get("name")), MopError)
    error = cls(
        str(data.get("message", "")),
        hint=data.get("hint"),
        place=data.get("place"),
        also=[str(item) for item in data.get("also") or ()],
    )
    error.source = [(int(number), str(text)) for number, text in data.get("source") or ()]
    return error


def outline(data: dict[str, Any]) -> dict[str, Any]:
    """Of an error's JSON form what everybody may read: which it is, in MOP's own words.

    Message, place and hint may hold texts and paths of a model's code, as logs do.
    """
    kind = CATALOGUE.get(str(data.get("name")), MopError)
    return kind(f"{kind.title}.", hint="").to_dict()


class ModelFault(MopError):
    """The model folder or its code must change."""

    http_status = HTTPStatus.UNPROCESSABLE_ENTITY


class DatasetFault(MopError):
    """The dataset's file must change, or somebody ended its verification."""

    http_status = HTTPStatus.UNPROCESSABLE_ENTITY


class OutsideFault(MopError):
    """A cause outside the model; worth another try later."""

    http_status = HTTPStatus.SERVICE_UNAVAILABLE


class PlatformFault(OutsideFault):
    """The installation itself is at fault."""


class ServiceFault(MopError):
    """What a running model service answers."""


class RequestFault(MopError):
    """What the API and portal answer."""


# The model's url -------------------------------------------------------------------------------------------


class ModelRevisionEmptyModelUrlError(ModelFault):
    """No model url is set."""

    title = "The model url is empty"
    default_hint = "Set the model url to the folder that holds model/ and src/."


class ModelUrlNotFoundError(ModelFault):
    """The url names nothing that can be read."""

    title = "Nothing was found at the model url"
    default_hint = "Check account, container and folder in the model url; the folder must hold files."


class ModelUrlForbiddenError(ModelFault):
    """The url may not be read, by the storage's or the operator's rules."""

    title = "The model url may not be read"
    default_hint = "Grant this installation's principal the role Storage Blob Data Reader on the container."


# The folder ------------------------------------------------------------------------------------------------


class ModelStructureError(ModelFault):
    """The folder's structure, names or sizes break a rule."""

    title = "The model folder has the wrong structure"
    default_hint = "Arrange the folder as model/, src/inference.py, src/requirements.txt, src/settings.yml."


class SettingsFileError(ModelFault):
    """src/settings.yml cannot be used."""

    title = "settings.yml cannot be used"
    default_hint = "Write src/settings.yml with env.python and env.pip, for example python: 3.11 and pip: 24.0."


class RequirementsFileError(ModelFault):
    """src/requirements.txt cannot be used."""

    title = "requirements.txt cannot be used"
    default_hint = "List one package per line in src/requirements.txt, for example numpy==1.26.4."


class EnvironmentBuildError(ModelFault):
    """The environment could not be built."""

    title = "The environment could not be built"
    default_hint = "Read the build log; change the versions in src/requirements.txt or src/settings.yml."


# The scan --------------------------------------------------------------------------------------------------


class BlockingFindingsError(ModelFault):
    """The scan found what the policy blocks; the revision ends in vulnerable."""

    title = "Findings of the scan block this version"
    default_hint = "Fix what the findings name, and add a new version."


# The code --------------------------------------------------------------------------------------------------


class ModelWrapperNotFoundError(ModelFault):
    """inference.py defines no wrapper."""

    title = "No model wrapper was found"
    default_hint = "Define one class in src/inference.py that extends mop_utils.base_model_wrapper.BaseModelWrapper."


class ModelWrapperAmbiguousError(ModelFault):
    """inference.py defines several wrappers."""

    title = "Several model wrappers were found"
    default_hint = "Leave one concrete leaf class that extends BaseModelWrapper in src/inference.py."


class DeploymentTimeoutError(ModelFault):
    """The service was not up, or did not answer, before the deadline."""

    title = "The model was too slow"
    default_hint = "Make init or inference faster, or choose a larger instance type."


class DeploymentCrashedError(ModelFault):
    """A model process died."""

    title = "The model process died"
    default_hint = "Read the deployment log for the last lines before the exit."


class UserScriptException(ModelFault):
    """inference.py raised."""

    title = "inference.py raised an exception"  # no hint of the class: what to do follows from the cause alone


# The output ------------------------------------------------------------------------------------------------


class InvalidModelOutputError(ModelFault):
    """The output is not a MOP output."""

    title = "The model's output has the wrong form"
    default_hint = (
        "Return predicted_labels (0 or 1) and confidence_scores (0 to 1) with the same taxonomies and labels, "
        "one output per item."
    )


class TaxonomyMisMatchError(ModelFault):
    """A mapped taxonomy is missing from the output."""

    title = "A connected taxonomy is missing from the output"
    default_hint = (
        "Return every mapped taxonomy under its customized name. Or correct that name, beside the task on the model's "
        "page or in the file of tasks, and retry the same files."
    )


class TaskLabelMismatchError(ModelFault):
    """The output's labels are not the task's."""

    title = "The output's labels are not those of the task"
    default_hint = "Return exactly the labels that the task defines."


class CategoricalTaskLabelValueError(ModelFault):
    """Not exactly one label of a categorical task is 1."""

    title = "A categorical prediction must have exactly one label at 1"
    default_hint = "Set exactly one predicted label to 1 and all others to 0."


class OrdinalTaskLabelValueError(ModelFault):
    """The labels of an ordinal task are not a run of 1s followed by 0s."""

    title = "An ordinal prediction must be a run of 1s, then 0s"
    default_hint = "Along the ascending labels set 1 up to the predicted label and 0 above it."


class CategoricalTaskLabelConfidenceScoreSumError(ModelFault):
    """The scores of a categorical task do not sum to 1."""

    title = "Categorical confidence scores must sum to 1"
    default_hint = "Normalise the confidence scores of each taxonomy so that they sum to 1 (within 0.001)."


class OrdinalTaskLabelConfidenceScoreValueError(ModelFault):
    """The scores of an ordinal task increase along the labels."""

    title = "Ordinal confidence scores must never increase"
    default_hint = "Return cumulative scores: the probability of this label or a higher one."


# A dataset's file --------------------------------------------------------------------------------------------


class DatasetFileError(DatasetFault):
    """The file of a dataset breaks its format."""

    title = "The dataset's file does not follow the format"
    default_hint = "Correct the file at the same url, then have it read again."


class VerificationCancelledError(DatasetFault):
    """An owner ended the verification of a dataset."""

    title = "The verification was cancelled"
    default_hint = "Have the file read again: that starts a new verification."


# Evaluation ------------------------------------------------------------------------------------------------


class EvaluationMappingError(DatasetFault):
    """The labels of model, task and dataset do not fit each other."""

    title = "The labels of model, task and dataset do not fit"
    default_hint = "Compare the task's labels with the dataset's, and the taxonomy's name with the model's output."


class EvaluationBudgetError(DatasetFault):
    """A model, person or team was measured on a dataset as often as may be."""

    title = "The dataset's budget of measurements is used up"
    default_hint = (
        "Wait until older measurements no longer count, or ask the operator: repeated measurements could reveal rows."
    )


# Causes outside the model ----------------------------------------------------------------------------------


class StorageUnavailableError(OutsideFault):
    """The storage could not be reached or did not answer properly."""

    title = "The storage could not be reached"
    default_hint = "MOP tries again by itself. If it lasts, check the storage account's network and status."


class SourceChangedError(OutsideFault):
    """The folder changed while it was read."""

    title = "The model folder changed while it was read"
    default_hint = "MOP reads it again by itself. Finish the upload before you onboard the folder."


class ScanIncompleteError(OutsideFault):
    """The scan's time was over, or a scanner was given up: what was not looked at is never let through."""

    title = "The scan did not finish"
    default_hint = (
        "MOP scans the version again by itself. If it lasts, ask the operator for a larger MOP_SCAN_DEADLINE, or save "
        "the files that the log names in a simpler form."
    )


class PackageIndexUnavailableError(OutsideFault):
    """The package index could not be reached."""

    title = "The package index could not be reached"
    default_hint = "MOP tries again by itself. If it lasts, ask the operator to check the package index."


class InterpreterDownloadError(OutsideFault):
    """A Python that this host lacks could not be fetched."""

    title = "The Python interpreter could not be downloaded"
    default_hint = "MOP tries again by itself. If it lasts, ask the operator to install that Python."


class HostLostError(OutsideFault):
    """The worker host was lost or had no room."""

    title = "The worker host was lost"
    default_hint = "MOP tries again by itself on the next free host."


class LoadTargetUnreachableError(OutsideFault):
    """What is to be load-tested takes no connections."""

    title = "The service to be load-tested cannot be reached"
    default_hint = "Check the address, and that the service runs and can be reached from here."


class LoadGeneratorLostError(OutsideFault):
    """The process that sends a load test's requests ended before its result."""

    title = "The load generator was lost"
    default_hint = "Run the load test again; if it happens again, look for what ends processes on this host."


class InternalError(OutsideFault):
    """A bug of MOP; the traceback is in the worker's log."""

    title = "MOP itself failed"
    default_hint = "MOP tries again by itself. Tell the operator; the worker's log holds the traceback."


class SandboxUnavailableError(PlatformFault):
    """The sandbox cannot be set up at the required level."""

    title = "The sandbox is not available at the required level"
    default_hint = "Run `mop doctor`: it names what is missing and how to install it."


class PlatformCredentialError(PlatformFault):
    """MOP's own credentials were refused."""

    title = "This installation's own credentials were refused"
    default_hint = "The operator must renew the credentials of this installation."


class PolicyFileError(PlatformFault):
    """The installation's policy of findings cannot be read."""

    title = "The policy file cannot be read"
    default_hint = "The operator must correct policy.toml in MOP_HOME, or remove it to use the default policy."


class DiskFullError(PlatformFault):
    """A disk of the installation is full."""

    title = "A disk of this installation is full"
    default_hint = "The operator must free space; `mop doctor` shows where."


class ArtifactDamagedError(PlatformFault):
    """The artifact store lost or changed what it held."""

    title = "A stored artifact is damaged"
    default_hint = (
        "The operator must restore the artifact store from its backup, or onboard the folder as a new version."
    )


class ArtifactSignatureError(PlatformFault):
    """A snapshot is not what was signed, or was not signed."""

    title = "A model's signature does not hold"
    default_hint = (
        "Stored files were changed. The operator must find the cause, restore the artifact store from its backup "
        "and remove the model's folder in models/; or onboard the folder as a new version."
    )


class SigningKeyError(PlatformFault):
    """The keys that sign models, or prove their signatures, cannot be used."""

    title = "A signing key cannot be used"
    default_hint = (
        "The operator must set MOP_SIGNING_KEY to a private key in PEM without a password, on P-256, P-384 or P-521, "
        "that MOP may read, and MOP_SIGNING_PUBLIC_KEYS to public keys of that kind. `mop doctor` checks them."
    )


class EmailUnavailableError(PlatformFault):
    """The mail server takes no e-mail."""

    title = "E-mail cannot be sent"
    default_hint = (
        "The operator must check MOP_EMAIL_BACKEND, MOP_EMAIL_FROM and the mail server; MOP tries again by itself."
    )


# Answers of a model service --------------------------------------------------------------------------------


class InvalidRequestError(ServiceFault):
    """The caller's request cannot be used."""

    http_status = HTTPStatus.BAD_REQUEST
    title = "The request cannot be used"


class RequestTooLargeError(ServiceFault):
    """The caller's body is over the limit."""

    http_status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    title = "The request body is too large"
    default_hint = "Send a smaller body."


class QueueFullError(ServiceFault):
    """The queue of the service is full."""

    http_status = HTTPStatus.TOO_MANY_REQUESTS
    title = "The service's queue is full"
    default_hint = "Send fewer requests at once; wait as long as Retry-After says."


class TooManyConnectionsError(ServiceFault):
    """The service serves as many connections as it may."""

    http_status = HTTPStatus.SERVICE_UNAVAILABLE
    title = "The service has too many connections"
    default_hint = "Use fewer connections, and close those that are not used."


class RequestDeadlineError(ServiceFault):
    """The model did not answer before the request deadline."""

    http_status = HTTPStatus.GATEWAY_TIMEOUT
    title = "The model did not answer in time"
    default_hint = "Send fewer items in one request, or make inference faster."


class ServiceNotReadyError(ServiceFault):
    """No model process is ready."""

    http_status = HTTPStatus.SERVICE_UNAVAILABLE
    title = "The service is not ready"
    default_hint = "Ask again in a few seconds."


# Answers of API and portal ---------------------------------------------------------------------------------


class NotAuthenticatedError(RequestFault):
    """Nobody is signed in."""

    http_status = HTTPStatus.UNAUTHORIZED
    title = "Sign in first"
    default_hint = "Sign in, or send a personal access token as `Authorization: Bearer <token>`."


class NotAllowedError(RequestFault):
    """The caller sees the object but may not do this."""

    http_status = HTTPStatus.FORBIDDEN
    title = "You may not do this"
    default_hint = "Ask an owner or an administrator; the guide `permissions` lists who may do what."


class SignInRefusedError(RequestFault):
    """The provider says who it is, and MOP does not let them in."""

    http_status = HTTPStatus.FORBIDDEN
    title = "The sign-in is refused"


class NotFoundError(RequestFault):
    """There is no such object, or the caller may not see it."""

    http_status = HTTPStatus.NOT_FOUND
    title = "Not found"
    default_hint = (
        "Check its name or number. What you may not see is not found either: ask its owner or an administrator."
    )


class MethodNotAllowedError(RequestFault):
    """The address stands, but not for this method."""

    http_status = HTTPStatus.METHOD_NOT_ALLOWED
    title = "The address does not support this method"
    default_hint = "The API's documentation, /api/v1/docs, lists the methods of each address."


class ConflictError(RequestFault):
    """The object's state does not allow this."""

    http_status = HTTPStatus.CONFLICT
    title = "Not possible now"


class QuotaExceededError(ConflictError):
    """A team would use more of the installation than it may."""

    title = "The team's quota is used up"
    default_hint = "Use less of it, or ask an administrator for a higher limit."


class RunNotPossibleError(ConflictError):
    """A run over hidden rows or cases cannot be made as things stand; what ended so begins again once it can."""

    title = "The run is not possible now"


class BundleNotReadyError(ConflictError):
    """The bundle of a release is still being made."""

    title = "The bundle is not ready"
    default_hint = "Ask again in a few seconds."


class EditConflictError(ConflictError):
    """Somebody edited the same thing after the caller read it; `If-Match`, or the form's edition, tells."""

    http_status = HTTPStatus.PRECONDITION_FAILED
    title = "Somebody edited this before you"
    default_hint = "Read the current version, apply your change to it, and save again."


class BackupRefusedError(ConflictError):
    """A backup cannot be made, or not be restored here."""

    title = "The backup is refused"


class AdvisoryImportError(RequestFault):
    """A file of advisories cannot be imported."""

    http_status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The advisories cannot be imported"
    default_hint = "Fetch the export `PyPI/all.zip` of OSV again; nothing was changed."


class IdempotencyKeyReusedError(RequestFault):
    """An idempotency key was used for another request."""

    http_status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The idempotency key was used before"
    default_hint = "Use a new key, such as a UUID, for each object. Send the same key only to repeat a request."


class StaleAttemptError(ConflictError):
    """Somebody (another worker, the owner) moved the revision on; this writer's answer is no longer wanted."""

    title = "The state changed meanwhile"
    default_hint = "Read its present status, and decide again."


class TooManyRequestsError(RequestFault):
    """The caller sends too much too fast."""

    http_status = HTTPStatus.TOO_MANY_REQUESTS
    title = "Too many requests"
    default_hint = "Wait as long as Retry-After says."

    def __init__(self, message: str, *, retry_after_s: int | None = None, **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.retry_after_s = retry_after_s


class ValidationFailedError(RequestFault):
    """Fields of the request break a rule; `fields` maps each to its messages."""

    http_status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "Some fields are not valid"

    def __init__(self, message: str, *, fields: dict[str, list[str]] | None = None, **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.fields = fields or {}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, with the messages per field."""
        return {**super().to_dict(), "fields": self.fields}
