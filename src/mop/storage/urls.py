"""Model urls: read strictly, and checked against what the operator allows before anything is asked."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, quote, unquote, urlsplit

from mop.errors import ModelRevisionEmptyModelUrlError, ModelUrlForbiddenError, ModelUrlNotFoundError
from mop.file_names import name_fault, quoted
from mop.storage.config import AzureAccount, StorageConfig

SHAPE = "https://<account>.blob.core.windows.net/<container>/<folder>, or file:///<folder>"
_WRITE_IT_AS = f"Write the model url as {SHAPE}."
_MAX_CHARACTERS = 4096
_CONTAINER = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(?:-[a-z0-9]+)*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HIDDEN_SYNTAX = re.compile(r"%(?:2[EeFf]|5[Cc]|00|25(?:2[EeFf]|5[Cc]))")  # . / \ NUL, also encoded twice
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class FileLocation:
    """A folder below an allowed root.

    Attributes:
        root: the root with its own symbolic links resolved.
        parts: the segments below the root; none may be a symbolic link.
    """

    root: Path
    parts: tuple[str, ...]

    @property
    def path(self) -> Path:
        return self.root.joinpath(*self.parts)

    def __str__(self) -> str:
        return f"file://{self.path}"


@dataclass(frozen=True)
class BlobLocation:
    """A folder in a container of a configured account; `prefix` is empty or ends with `/`."""

    account: AzureAccount
    container: str
    prefix: str

    def __str__(self) -> str:
        return f"{self.account.url}/{self.container}/{self.prefix}".rstrip("/")


def parse_url(url: str, config: StorageConfig) -> FileLocation | BlobLocation:
    """Where a model url points, if the operator allows it. Nothing is fetched and no file is opened.

    Raises:
        ModelRevisionEmptyModelUrlError: nothing was given.
        ModelUrlNotFoundError: it is not a url that names a folder.
        ModelUrlForbiddenError: it is outside the allowed roots and accounts, or carries a credential.
    """
    url = url.strip()
    if not url:
        raise ModelRevisionEmptyModelUrlError("The model url is empty.", hint=_WRITE_IT_AS)
    parts = _split(url)
    _refuse_credentials(parts)
    if parts.scheme == "file":
        return _file_location(parts, config)
    if parts.scheme in _DEFAULT_PORTS:
        return _blob_location(parts, config)
    raise ModelUrlForbiddenError(
        f"The model url has the scheme {quoted(parts.scheme)}; MOP reads https and file urls only.", hint=_WRITE_IT_AS
    )


def parse_prefix(url: str, config: StorageConfig) -> FileLocation | BlobLocation:
    """Where a prefix of urls points: a folder as in `parse_url`, or a whole account, with an empty container.

    Raises:
        ModelRevisionEmptyModelUrlError, ModelUrlNotFoundError, ModelUrlForbiddenError: as `parse_url`.
    """
    for account in config.azure_accounts:
        if url.strip().rstrip("/") == account.url:
            return BlobLocation(account=account, container="", prefix="")
    return parse_url(url, config)


def is_below(location: FileLocation | BlobLocation, prefix: FileLocation | BlobLocation) -> bool:
    """Whether a location is the prefix itself or lies below it, segment by segment."""
    if isinstance(location, FileLocation) and isinstance(prefix, FileLocation):
        return location.path.is_relative_to(prefix.path)
    if isinstance(location, BlobLocation) and isinstance(prefix, BlobLocation):
        if location.account.url != prefix.account.url or prefix.container not in {"", location.container}:
            return False
        return location.prefix.startswith(prefix.prefix)
    return False


def _split(url: str) -> SplitResult:
    if len(url) > _MAX_CHARACTERS:
        _malformed(f"it is longer than {_MAX_CHARACTERS} characters")
    if not url.isprintable():
        _malformed("it holds a line break or another character that cannot be printed")
    if "\\" in url:
        _malformed("it holds a backslash")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises for a port that is no number
    except ValueError:
        _malformed("its host or port cannot be read")
    if not parts.scheme or "://" not in url:
        hint = f"Write it as file://{quote(url)}." if url.startswith("/") and not parts.scheme else _WRITE_IT_AS
        _malformed("it has no scheme", hint=hint)
    return parts


def _refuse_credentials(parts: SplitResult) -> None:
    """A credential must not travel in a url that is stored, shown and logged; its text is not repeated."""
    if "@" in parts.netloc:
        raise ModelUrlForbiddenError(
            "The model url holds a user name or password before the host.",
            hint="Remove everything up to the @; the operator configures credentials per storage account.",
        )
    if parts.query and re.search(r"(?:^|&)sig=", parts.query, re.IGNORECASE):
        raise ModelUrlForbiddenError(
            "The model url carries a shared access signature (SAS); a url is stored and shown: no place for a secret.",
            hint="Remove everything from the question mark on and revoke that SAS; the operator configures credentials "
            "per storage account.",
        )
    if parts.query or parts.fragment:
        _malformed("it has a query (?) or a fragment (#); a blob url names a folder only")


def _segments(path: str) -> tuple[str, ...]:
    """The decoded segments of a url's path; one trailing slash is dropped."""
    if _BAD_ESCAPE.search(path):
        _malformed("it has a % that is not followed by two hexadecimal digits; write a real percent sign as %25")
    if _HIDDEN_SYNTAX.search(path):
        _malformed("it hides a dot, slash, backslash or NUL behind a percent code")
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError:
        _malformed("its percent codes are not UTF-8")
    relative = decoded.removeprefix("/").removesuffix("/")
    if not relative:
        return ()
    if (fault := name_fault(relative)) is not None:
        _malformed(f"in its path, {fault}")
    return tuple(relative.split("/"))


def _file_location(parts: SplitResult, config: StorageConfig) -> FileLocation:
    if parts.netloc:
        _malformed("a file url has three slashes and no host: file:///<folder>")
    segments = _segments(parts.path)
    path = Path("/", *segments)
    for root in config.file_roots:
        resolved = Path(os.path.realpath(root))
        for base in (root, resolved):
            if path.is_relative_to(base):
                return FileLocation(root=resolved, parts=path.relative_to(base).parts)
    if not config.file_roots:
        raise ModelUrlForbiddenError(
            "This installation reads no file:// urls: no root folder is allowed.",
            hint="Upload the folder to blob storage, or ask the operator to allow a root folder.",
        )
    allowed = ", ".join(str(root) for root in config.file_roots)
    raise ModelUrlForbiddenError(
        f"The folder {quoted(str(path))} is not under an allowed root ({allowed}).",
        hint="Move the folder under an allowed root, or ask the operator to allow its root.",
    )


def _blob_location(parts: SplitResult, config: StorageConfig) -> BlobLocation:
    segments = _segments(parts.path)
    for account in config.azure_accounts:
        endpoint = urlsplit(account.url)
        base = _segments(endpoint.path)
        if _origin(endpoint) != _origin(parts) or segments[: len(base)] != base:
            continue
        return _inside(account, segments[len(base) :])
    allowed = ", ".join(account.url for account in config.azure_accounts) or "none"
    raise ModelUrlForbiddenError(
        f"The storage at {quoted(f'{parts.scheme}://{parts.netloc}')} is not one of the allowed accounts ({allowed}).",
        hint="Use a folder in an allowed storage account, or ask the operator to add the account. " + _WRITE_IT_AS,
    )


def _inside(account: AzureAccount, segments: tuple[str, ...]) -> BlobLocation:
    if not segments:
        _malformed("it names no container")
    container, folder = segments[0], segments[1:]
    if not _CONTAINER.fullmatch(container):
        _malformed(f"{quoted(container)} cannot be a container: 3 to 63 lower-case letters, digits and single hyphens")
    return BlobLocation(account=account, container=container, prefix="".join(f"{part}/" for part in folder))


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _malformed(reason: str, *, hint: str = _WRITE_IT_AS) -> NoReturn:
    raise ModelUrlNotFoundError(f"The model url cannot be used: {reason}.", hint=hint)
