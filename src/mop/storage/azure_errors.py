"""Azure Blob failures by status and error code, never by exception class: the SDK's classes mislead."""

from __future__ import annotations

from http import HTTPStatus

from azure.core.exceptions import AzureError

from mop.errors import (
    ModelUrlForbiddenError,
    ModelUrlNotFoundError,
    MopError,
    PlatformCredentialError,
    SourceChangedError,
    StorageUnavailableError,
)
from mop.file_names import quoted
from mop.storage.azure_retry import is_passing
from mop.storage.credentials import Anonymous
from mop.storage.principals import blob_principal, forbidden
from mop.storage.urls import BlobLocation

_CREDENTIAL_REFUSED = {"AuthenticationFailed", "InvalidAuthenticationInfo", "InvalidAuthenticationInfoHeader"}
_FINAL_CONFLICTS = {"BlobArchived", "ContainerBeingDeleted", "ContainerDisabled", "PublicAccessNotPermitted"}
_MAX_CODE = 80


def status_and_code(error: BaseException) -> tuple[int | None, str]:
    """The HTTP status (None when no answer arrived) and the storage's error code (empty when it sent none)."""
    status = getattr(error, "status_code", None)
    response = getattr(error, "response", None)
    if status is None and response is not None and not _is_success(getattr(response, "status_code", None)):
        status = response.status_code
    code = getattr(error, "error_code", None) or ""
    if not code and response is not None:
        code = getattr(response, "headers", {}).get("x-ms-error-code") or ""
    return status, str(getattr(code, "value", code))[:_MAX_CODE]


def classify(error: BaseException, location: BlobLocation, *, blob: str | None = None) -> MopError:
    """The catalogue's error for a failed request.

    Args:
        error: what the SDK raised; a failure below it (socket, timeout, body cut short) has no status.
        location: the model folder.
        blob: the file that was read; None for the listing.
    """
    status, code = status_and_code(error)
    return classify_answer(status, code, location, blob=blob, reason=_reason(error, status, code))


def classify_answer(
    status: int | None, code: str, location: BlobLocation, *, blob: str | None = None, reason: str = ""
) -> MopError:
    """As `classify`, from the status and error code of an answer; `reason` tells more where there was none."""
    where = str(location) if blob is None else f"{quoted(blob)} in {location}"
    if status is None or _is_temporary(status, code):
        told = reason or _answer(status or 0, code)
        return StorageUnavailableError(f"{where} could not be read: {told}.")
    if status in {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}:
        return SourceChangedError(f"{where} changed while it was read.")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} or code == "PublicAccessNotPermitted":
        return _refused(location, status, code)
    if status == HTTPStatus.NOT_FOUND:
        return _missing(location, code, blob)
    return _unreadable(where, status, code)


def _is_temporary(status: int, code: str) -> bool:
    if status == HTTPStatus.CONFLICT:
        return code not in _FINAL_CONFLICTS
    return _is_success(status) or is_passing(status) or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _unreadable(where: str, status: int, code: str) -> MopError:
    if code == "BlobArchived":
        return ModelUrlNotFoundError(
            f"{where} is in the archive tier and cannot be read.",
            hint="Move the blobs of the model folder to the hot or cool tier (this takes hours), then try again.",
        )
    return ModelUrlNotFoundError(f"The storage refuses the request for {where}: {_answer(status, code)}.")


def _refused(location: BlobLocation, status: int, code: str) -> MopError:
    account = location.account
    own = not isinstance(account.credential, Anonymous)
    if own and (code in _CREDENTIAL_REFUSED or status == HTTPStatus.UNAUTHORIZED):
        return PlatformCredentialError(
            f"The storage account {account.name} refuses {blob_principal(account)} ({_answer(status, code)}): it is "
            "wrong, revoked or expired.",
            hint=f"The operator must renew the credential of the storage account {account.name}.",
        )
    return forbidden(location, _answer(status, code))


def _missing(location: BlobLocation, code: str, blob: str | None) -> MopError:
    if blob is not None:
        return SourceChangedError(f"{quoted(blob)} in {location} vanished while the folder was read.")
    anonymous = isinstance(location.account.credential, Anonymous)
    if code == "ResourceNotFound" and anonymous:  # how Azure answers a stranger who asks for a private container
        return ModelUrlForbiddenError(
            f"The container {location.container} of {location.account.name} does not exist or is not public, and this "
            f"installation's principal, {blob_principal(location.account)}, shows no credential.",
            hint=forbidden(location, code).hint + "; the operator configures the credential.",
        )
    return ModelUrlNotFoundError(
        f"There is no container {location.container} in the storage account {location.account.name}."
    )


def _reason(error: BaseException, status: int | None, code: str) -> str:
    if status is not None and not _is_success(status):
        return _answer(status, code)
    if isinstance(error, TimeoutError):
        return "no answer before the time-out"
    name = type(error).__name__
    if isinstance(error, AzureError) and error.inner_exception is not None:
        return f"{name}, {type(error.inner_exception).__name__}"
    return f"{name}, no complete answer"


def _answer(status: int, code: str) -> str:
    return f"HTTP {status} {code}".strip()


def _is_success(status: object) -> bool:
    return isinstance(status, int) and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
