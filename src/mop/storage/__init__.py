"""Model folders: where they are read from, the snapshot of them, and the store that keeps it."""

from mop.storage.artifact_store import ArtifactStore
from mop.storage.config import AzureAccount, RetryPolicy, SnapshotLimits, StorageConfig
from mop.storage.credentials import (
    AccountKey,
    Anonymous,
    ManagedIdentity,
    SasToken,
    ServicePrincipal,
    WorkloadIdentity,
)
from mop.storage.manifest import Manifest, ManifestFile
from mop.storage.materialise import materialise, remove_folder
from mop.storage.opening import open_source
from mop.storage.principals import principal
from mop.storage.snapshot import SnapshotProgress, store_folder, take_snapshot
from mop.storage.snapshot_process import SnapshotResult, run_snapshot_job
from mop.storage.source import Source, SourceFile
from mop.storage.unpacked import folder_in_use, unpack
from mop.storage.urls import parse_url

__all__ = [
    "AccountKey",
    "Anonymous",
    "ArtifactStore",
    "AzureAccount",
    "ManagedIdentity",
    "Manifest",
    "ManifestFile",
    "RetryPolicy",
    "SasToken",
    "ServicePrincipal",
    "SnapshotLimits",
    "SnapshotProgress",
    "SnapshotResult",
    "Source",
    "SourceFile",
    "StorageConfig",
    "WorkloadIdentity",
    "folder_in_use",
    "materialise",
    "open_source",
    "parse_url",
    "principal",
    "remove_folder",
    "run_snapshot_job",
    "store_folder",
    "take_snapshot",
    "unpack",
]
