"""Signed snapshots: what was changed after it was signed does not run, and anybody can verify with the public key."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from mop.errors import ArtifactDamagedError, ArtifactSignatureError, PlatformFault, SigningKeyError
from mop.storage import ArtifactStore, Manifest, SnapshotLimits, materialise, store_folder
from mop.storage.signatures import Signatures
from mop.storage.signing_keys import SigningKeys, read_signing_keys
from mop.storage.unreferenced import unreferenced_objects
from support.signing import signature_of

WriteTree = Callable[[Path, dict[str, bytes]], Path]
TREE = {
    "model/weights.bin": b"w" * 3_000_000,
    "src/inference.py": b"code",
    "src/a-b/x": b"1",
    "src/a/x": b"",
    "ü": b"2",
}
COMMAND = Path(sys.executable).with_name("model_signing")
PKCS8, PUBLIC = PrivateFormat.PKCS8, PublicFormat.SubjectPublicKeyInfo


def quiet(_line: str) -> None:
    """Nobody reads the log."""


class Signed:
    """A snapshot in a store, unpacked, and the keys of an installation."""

    def __init__(self, folder: Path, store: ArtifactStore, manifest: Manifest, key: ec.EllipticCurvePrivateKey) -> None:
        self.folder = folder
        self.store = store
        self.manifest = manifest
        self.key = key

    @property
    def digest(self) -> str:
        return self.manifest.digest

    @property
    def signatures(self) -> Signatures:
        return signatures_with(self.store, self.key)

    @property
    def bundle_path(self) -> Path:
        assert self.store.folder is not None
        return self.store.folder / "signatures" / self.digest[:2] / f"{self.digest}.json"

    async def refusal(self, signatures: Signatures | None = None) -> str:
        with pytest.raises(ArtifactSignatureError) as caught:
            await (signatures or self.signatures).check(self.digest, self.folder, log=quiet)
        assert isinstance(caught.value, PlatformFault)
        return caught.value.message


def new_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


def signatures_with(
    store: ArtifactStore, key: ec.EllipticCurvePrivateKey | None, *accepted: ec.EllipticCurvePrivateKey
) -> Signatures:
    public = [one.public_key() for one in (*([key] if key else []), *accepted)]
    return Signatures(store, SigningKeys(key, tuple(public)))


def public_pem(folder: Path, key: ec.EllipticCurvePrivateKey) -> Path:
    path = folder / "public.pem"
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PUBLIC))
    return path


def private_pem(folder: Path, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> Path:
    path = folder / "private.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PKCS8, NoEncryption()))
    return path


async def keep(folder: Path, store: ArtifactStore, target: Path) -> Manifest:
    manifest = await store_folder(folder, store, limits=SnapshotLimits(), log=quiet)
    await materialise(manifest.digest, store, target, log=quiet)
    return manifest


@pytest.fixture
async def signed(tmp_path: Path, store: ArtifactStore, write_tree: WriteTree) -> Signed:
    key = new_key()
    # signing begins before there is anything, so that nothing counts as older
    await signatures_with(store, key)._begin()
    manifest = await keep(write_tree(tmp_path / "m", TREE), store, tmp_path / "out")
    made = Signed(tmp_path / "out", store, manifest, key)
    await made.signatures.sign(manifest.digest)
    return made


def run(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def change(path: Path, content: bytes) -> None:
    """Change a file as somebody with the rights of MOP could."""
    path.chmod(0o600)
    path.write_bytes(content)


# What holds ------------------------------------------------------------------------------------------------


async def test_what_was_signed_and_not_changed_passes(signed: Signed):
    lines: list[str] = []
    await signed.signatures.check(signed.digest, signed.folder, log=lines.append)
    assert lines == []
    assert signed.store.folder is not None
    assert signature_of(signed.store.folder, signed.digest) == signed.bundle_path.read_bytes()
    assert signature_of(signed.store.folder, "0" * 64) is None


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
async def test_the_command_of_the_openssf_verifies_it(signed: Signed, tmp_path: Path, curve: ec.EllipticCurve):
    key = new_key(curve)
    signed.bundle_path.unlink()
    await signatures_with(signed.store, key).sign(signed.digest)
    command = [
        *(COMMAND, "verify", "key", signed.folder),
        *("--signature", signed.bundle_path, "--public_key", public_pem(tmp_path, key)),
    ]
    done = run(command)
    assert (done.returncode, "Verification succeeded" in done.stdout + done.stderr) == (0, True), done.stderr
    if curve.key_size == 256:
        signed.folder.joinpath("src").chmod(0o700)
        change(signed.folder / "src/inference.py", b"c0de")
        assert run(command).returncode != 0


async def test_the_command_sees_files_of_git_when_it_is_told_not_to_ignore_them(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
):
    key, target = new_key(), tmp_path / "out"
    manifest = await keep(write_tree(tmp_path / "m", {".gitattributes": b"*.bin lfs", "x": b""}), store, target)
    made = Signed(target, store, manifest, key)
    await made.signatures.sign(made.digest)
    command = [
        *(COMMAND, "verify", "key", target, "--no-ignore-git-paths"),
        *("--signature", made.bundle_path, "--public_key", public_pem(tmp_path, key)),
    ]
    assert run(command).returncode == 0


async def test_a_signature_that_the_openssf_made_holds_here(signed: Signed, tmp_path: Path):
    command = [
        *(COMMAND, "sign", "key", signed.folder),
        *("--signature", signed.bundle_path, "--private_key", private_pem(tmp_path, signed.key)),
    ]
    assert run(command).returncode == 0
    await signed.signatures.check(signed.digest, signed.folder, log=quiet)


async def test_signing_again_leaves_a_signature_that_holds_and_makes_it_young(signed: Signed):
    before = signed.bundle_path.read_bytes()
    os.utime(signed.bundle_path, (1, 1))
    await signed.signatures.sign(signed.digest)
    assert signed.bundle_path.read_bytes() == before
    assert signed.bundle_path.stat().st_mtime > 1


# What does not ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"c0de", b"code and more", b""])
async def test_a_changed_file_is_refused(signed: Signed, content: bytes):
    signed.folder.joinpath("src").chmod(0o700)
    change(signed.folder / "src/inference.py", content)
    assert signed.digest in await signed.refusal()


async def test_a_file_more_or_less_or_a_link_is_refused(signed: Signed):
    folder = signed.folder / "src"
    folder.chmod(0o700)
    (folder / "more.py").write_bytes(b"")
    assert "other files" in await signed.refusal()
    (folder / "more.py").unlink()
    (folder / "inference.py").rename(folder.parent.parent / "aside.py")
    assert "other files" in await signed.refusal()
    (folder / "inference.py").symlink_to(folder.parent.parent / "aside.py")
    assert "not a regular file" in await signed.refusal()


async def test_a_changed_manifest_is_refused(signed: Signed):
    assert signed.store.folder is not None
    path = signed.store.folder / "manifests" / signed.digest[:2] / f"{signed.digest}.json"
    path.write_bytes(path.read_bytes().replace(b"inference", b"interfere"))
    with pytest.raises(ArtifactDamagedError):
        await signed.signatures.check(signed.digest, signed.folder, log=quiet)


@pytest.mark.parametrize("tree", [{"src/inference.py": b"code"}, {**TREE, "src/inference.py": b"other"}])
async def test_the_signature_of_another_snapshot_is_refused(
    signed: Signed, tmp_path: Path, store: ArtifactStore, write_tree: WriteTree, tree: dict[str, bytes]
):
    other = await keep(write_tree(tmp_path / "other", tree), store, tmp_path / "other-out")
    await signed.signatures.sign(other.digest)
    assert signed.store.folder is not None
    bundle = signature_of(signed.store.folder, other.digest)
    assert bundle is not None
    signed.bundle_path.write_bytes(bundle)
    assert "it signs other files" in await signed.refusal()


def _payload(bundle: dict, change_it: Callable[[dict], object]) -> None:
    envelope = bundle["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    change_it(statement)
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()


CHANGES: list[Callable[[dict], object]] = [
    lambda bundle: _payload(bundle, lambda statement: statement["predicate"]["resources"].pop()),
    lambda bundle: _payload(bundle, dict.keys),  # the same, in other words
    lambda bundle: bundle["dsseEnvelope"].update(payloadType="application/json"),
    lambda bundle: bundle["dsseEnvelope"].update(payload="%"),
    lambda bundle: bundle["dsseEnvelope"].update(signatures=[]),
    lambda bundle: bundle["dsseEnvelope"]["signatures"].append({"sig": "AAAA", "keyid": ""}),
    lambda bundle: bundle["dsseEnvelope"]["signatures"][0].update(sig="AAAA"),
    lambda bundle: bundle["dsseEnvelope"]["signatures"][0].update(sig=7),
    lambda bundle: bundle.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.1"),
    lambda bundle: bundle.pop("dsseEnvelope"),
]


@pytest.mark.parametrize("change_it", CHANGES, ids=range(len(CHANGES)))
async def test_a_changed_bundle_is_refused(signed: Signed, change_it: Callable[[dict], object]):
    bundle = json.loads(signed.bundle_path.read_bytes())
    change_it(bundle)
    signed.bundle_path.write_text(json.dumps(bundle))
    assert "its signature does not hold" in await signed.refusal()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"[" * 100_000, b"\xff"])
async def test_a_bundle_of_nonsense_is_refused(signed: Signed, content: bytes):
    signed.bundle_path.write_bytes(content)
    assert "no sigstore bundle" in await signed.refusal()


async def test_a_snapshot_whose_signature_is_gone_is_refused(signed: Signed):
    signed.bundle_path.unlink()
    assert "it has no signature" in await signed.refusal()
    assert not signed.bundle_path.exists()


# Keys ------------------------------------------------------------------------------------------------------


async def test_another_key_does_not_hold_until_the_old_one_is_accepted_too(signed: Signed):
    new = new_key(ec.SECP384R1())
    assert "no accepted key" in await signed.refusal(signatures_with(signed.store, new))
    rotated = signatures_with(signed.store, new, signed.key)
    await rotated.check(signed.digest, signed.folder, log=quiet)
    before = signed.bundle_path.read_bytes()
    await rotated.sign(signed.digest)
    assert signed.bundle_path.read_bytes() == before


async def test_a_host_with_the_public_key_alone_verifies_and_does_not_sign(signed: Signed):
    verifier = signatures_with(signed.store, None, signed.key)
    await verifier.check(signed.digest, signed.folder, log=quiet)
    signed.bundle_path.unlink()
    await verifier.sign(signed.digest)
    assert "it has no signature" in await signed.refusal(verifier)


def test_keys_are_read_from_pem_files(tmp_path: Path):
    key, other = new_key(), new_key()
    keys = read_signing_keys(private_pem(tmp_path, key), [public_pem(tmp_path, other)])
    assert keys.private is not None
    assert keys.public == (key.public_key(), other.public_key())
    assert "object" not in repr(keys)


def _encrypted(folder: Path) -> None:
    content = new_key().private_bytes(Encoding.PEM, PKCS8, BestAvailableEncryption(b"word"))
    (folder / "private.pem").write_bytes(content)


UNUSABLE: list[Callable[[Path], object]] = [
    lambda folder: folder,  # there is none
    lambda folder: (folder / "private.pem").mkdir(),
    lambda folder: (folder / "private.pem").write_bytes(
        b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"
    ),
    lambda folder: private_pem(folder, ed25519.Ed25519PrivateKey.generate()),
    lambda folder: private_pem(folder, new_key(ec.SECP256K1())),
    lambda folder: public_pem(folder, new_key()).rename(folder / "private.pem"),
    _encrypted,
]


@pytest.mark.parametrize("make", UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_key_that_can_not_be_used_is_named_by_its_path_alone(tmp_path: Path, make: Callable[[Path], object]):
    make(tmp_path)
    with pytest.raises(SigningKeyError) as caught:
        read_signing_keys(tmp_path / "private.pem", [])
    assert str(tmp_path / "private.pem") in caught.value.message
    assert "c2VjcmV0" not in caught.value.message
    assert caught.value.__cause__ is None


# Older snapshots -------------------------------------------------------------------------------------------


async def test_a_snapshot_that_stood_before_signing_began_is_signed_when_used(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
):
    manifest = await keep(write_tree(tmp_path / "m", TREE), store, tmp_path / "out")
    signatures = signatures_with(store, new_key())
    lines: list[str] = []
    await signatures.check(manifest.digest, tmp_path / "out", log=lines.append)
    assert lines == [f"snapshot {manifest.digest} was made before signing began and is signed now"]
    await signatures.check(manifest.digest, tmp_path / "out", log=lines.append)
    assert len(lines) == 1


async def test_an_older_snapshot_that_was_changed_is_not_signed(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
):
    manifest = await keep(write_tree(tmp_path / "m", TREE), store, tmp_path / "out")
    (tmp_path / "out/src").chmod(0o700)
    change(tmp_path / "out/src/inference.py", b"c0de")
    made = Signed(tmp_path / "out", store, manifest, new_key())
    assert "is not what was signed" in await made.refusal()
    assert not made.bundle_path.exists()


async def test_a_snapshot_can_not_be_put_among_the_older_ones(signed: Signed):
    assert signed.store.folder is not None
    signed.bundle_path.unlink()
    path = signed.store.folder / "signatures/before-signing.json"
    bundle = json.loads(path.read_bytes())
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps([signed.digest]).encode()).decode()
    path.write_text(json.dumps(bundle))
    assert "cannot be trusted" in await signed.refusal()


# The rest of the store -------------------------------------------------------------------------------------


async def test_a_signature_goes_with_its_manifest(signed: Signed):
    root = signed.store.folder
    assert root is not None
    age = 10.0
    for path in root.rglob("*"):
        os.utime(path, (age, age))
    names = {one.path for one in unreferenced_objects(root, [], before=20)}
    assert f"signatures/{signed.digest[:2]}/{signed.digest}.json" in names
    assert "signatures/before-signing.json" not in names
    assert unreferenced_objects(root, [signed.digest], before=20) == []


def test_without_a_key_nothing_of_it_is_imported():
    program = (
        "import mop.storage, mop.hosting.signing, sys;"
        "print([name for name in sys.modules if 'signatur' in name or name == 'model_signing'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
