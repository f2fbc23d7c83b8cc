"""What a backup holds: the names that may occur in it, and the manifest that says what does.

backup.json                              the manifest; always first
secret-key, mop.toml, policy.toml        as in MOP_HOME
databases/{mop,engine}.{db,dump}         SQLite files, or dumps of PostgreSQL in its custom format
artifacts/manifests/ab/<digest>.json     the artifact store, as far as revisions refer to it
artifacts/blobs/ab/cd/<sha256>
artifacts/signatures/ab/<digest>.json    signatures of its snapshots, where signing is on
artifacts/signatures/before-signing.json
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from mop.errors import BackupRefusedError

FORMAT = 1
MANIFEST = "backup.json"
SECRET_KEY = "secret-key"  # noqa: S105 - a file's name
SETTINGS_FILE = "mop.toml"
HOME_FILES = (SECRET_KEY, SETTINGS_FILE, "policy.toml")
MANIFEST_BYTES_MAX = 512 * 1024**2
_DATABASE = re.compile(r"databases/(mop|engine)\.(db|dump)")
_ARTIFACT = re.compile(
    r"artifacts/(?:manifests/(?P<m>[0-9a-f]{2})/(?P<digest>(?P=m)[0-9a-f]{62})\.json"
    r"|blobs/(?P<a>[0-9a-f]{2})/(?P<b>[0-9a-f]{2})/(?P<blob>(?P=a)(?P=b)[0-9a-f]{60}))"
)
_SIGNATURE = re.compile(r"artifacts/signatures/(?:(?P<s>[0-9a-f]{2})/(?P=s)[0-9a-f]{62}\.json|before-signing\.json)")
UNSIGNED_LIST = "artifacts/signatures/before-signing.json"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Member:
    """One file of a backup: its name, its size in bytes, its SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class BackupManifest:
    """What a backup holds and what it was made from.

    Attributes:
        made_at: when, in UTC, ISO 8601.
        mop_version: of the release that made it.
        databases: kind (`sqlite`, `postgresql`) by name (`mop`, `engine`); no `engine` when it is in the same database.
        migrations: what was applied to MOP's database, as `app.name`.
        engine_schema: version of the engine's tables; 0 when there are none.
        members: every file but the manifest, in the archive's order.
        left_out: what belongs in it and is missing or damaged, a line each.
    """

    made_at: str
    mop_version: str
    databases: dict[str, str]
    migrations: tuple[str, ...]
    engine_schema: int
    members: tuple[Member, ...]
    left_out: tuple[str, ...] = field(default=())

    @property
    def total_bytes(self) -> int:
        """The size of all files together."""
        return sum(member.size for member in self.members)

    def to_json(self) -> bytes:
        """The manifest's file; members are rows of name, size, SHA-256."""
        document = asdict(self) | {
            "format": FORMAT,
            "members": [[member.name, member.size, member.sha256] for member in self.members],
        }
        return json.dumps(document, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> BackupManifest:
        """Read a manifest that anybody may have written.

        Raises:
            BackupRefusedError: it is not a manifest, is of a newer format, or names what a backup never holds.
        """
        try:
            document = json.loads(data)
            if document["format"] != FORMAT:
                raise BackupRefusedError(
                    f"The backup has format {document['format']!r}; this release reads {FORMAT}.",
                    hint=f"Restore it with MOP {document['mop_version']} or newer.",
                )
            manifest = cls(
                made_at=str(document["made_at"]),
                mop_version=str(document["mop_version"]),
                databases={str(name): str(kind) for name, kind in document["databases"].items()},
                migrations=tuple(map(str, document["migrations"])),
                engine_schema=int(document["engine_schema"]),
                members=tuple(_member(*row) for row in document["members"]),
                left_out=tuple(map(str, document["left_out"])),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise damaged(f"its manifest cannot be read ({type(error).__name__})") from error
        names = [member.name for member in manifest.members]
        if len(set(names)) != len(names):
            raise damaged("its manifest names a file twice")
        expected = {f"databases/{name}.{_SUFFIXES.get(kind)}" for name, kind in manifest.databases.items()}
        if "mop" not in manifest.databases or expected != {name for name in names if name.startswith("databases/")}:
            raise damaged("its manifest does not name its databases")
        return manifest


_SUFFIXES = {"sqlite": "db", "postgresql": "dump"}


def database_member(name: str, kind: str) -> str:
    """Where a database's copy stands in the archive."""
    return f"databases/{name}.{_SUFFIXES[kind]}"


def manifest_member(digest: str) -> str:
    """Where the manifest of a snapshot stands, in the archive as in MOP_HOME."""
    return f"artifacts/manifests/{digest[:2]}/{digest}.json"


def signature_member(digest: str) -> str:
    """Where the signature of a snapshot stands, in the archive as in MOP_HOME."""
    return f"artifacts/signatures/{digest[:2]}/{digest}.json"


def blob_member(sha256: str) -> str:
    """Where a blob stands, in the archive as in MOP_HOME."""
    return f"artifacts/blobs/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def damaged(why: str) -> BackupRefusedError:
    """The error for a file that is no whole backup."""
    return BackupRefusedError(
        f"This is not a backup of MOP, or it is damaged: {why}.",
        hint="Take another backup; the installation is as it was.",
    )


def _member(name: Any, size: Any, sha256: Any) -> Member:
    if not isinstance(name, str) or not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise TypeError(name)
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError(name)
    artifact = _ARTIFACT.fullmatch(name)
    known = artifact or _SIGNATURE.fullmatch(name) or _DATABASE.fullmatch(name) or name in HOME_FILES
    if not known:
        raise damaged(f"it names {name[:100]!r}, which no backup holds")
    if artifact is not None and sha256 != (artifact["digest"] or artifact["blob"]):
        raise damaged(f"the SHA-256 of {name} is not its name")
    return Member(name, size, sha256)
