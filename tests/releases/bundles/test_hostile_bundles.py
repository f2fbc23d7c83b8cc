"""Bundles that somebody changed: each is refused with a message that says why, and nothing of it is believed."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import tarfile
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from mop.releases.bundles.archive import END, ArchiveReader, BundleError, Entry, header
from mop.releases.bundles.manifest import MANIFEST_BYTES_MAX, SIGNATURE_BYTES_MAX
from mop.releases.bundles.verification import Verified, verify
from mop.storage import model_signature
from mop.storage.manifest import ManifestFile
from support.bundles import archive, new_key, resigned

KEY = new_key()


def _small() -> dict[str, bytes]:
    """The parts of the smallest bundle: a version of which nothing was measured."""
    from mop.releases.bundles.manifest import BundleManifest  # noqa: PLC0415 - beside its use
    from mop.releases.cards.document import Card  # noqa: PLC0415 - as above
    from mop.releases.cards.html import to_html  # noqa: PLC0415 - as above
    from mop.releases.cards.markdown import to_markdown  # noqa: PLC0415 - as above
    from mop.storage.manifest import Manifest  # noqa: PLC0415 - as above

    content = b"weights"
    digest = Manifest.of([ManifestFile("model/w", len(content), hashlib.sha256(content).hexdigest())]).digest
    fields = {name: "" for name in Card.__dataclass_fields__ if name != "format"}
    lists = ("owners", "tags", "tasks", "datasets", "results", "load_tests", "rates", "versions")
    fields |= dict.fromkeys(lists, ()) | dict.fromkeys(("artifact_files", "artifact_bytes", "packages", "findings"))
    card = Card(**{**fields, "model": "m", "version": "v1", "artifact_digest": digest})  # type: ignore[arg-type]
    manifest = BundleManifest("m", "v1", "0" * 8, digest, "", "1", ())
    parts = {
        "manifest.json": manifest.to_json(),
        "artifact/model/w": content,
        "card/card.json": card.to_json().encode(),
        "card/card.md": to_markdown(card).encode(),
        "card/card.html": to_html(card).encode(),
        "evidence/gates.json": json.dumps({"service": None, "result": "pass", "rows": [], "tasks": []}).encode(),
    }
    return _parts(resigned(parts, KEY))


def _parts(content: bytes) -> dict[str, bytes]:
    from support.bundles import parts_in  # noqa: PLC0415 - beside its use

    return parts_in(content)


PARTS = _small()
GOOD = archive(PARTS.items())


def _verify(content: bytes, key: ec.EllipticCurvePrivateKey = KEY, *, is_sized: bool = False) -> Verified:
    return verify(io.BytesIO(content), [key.public_key()], total=len(content) if is_sized else None)


def _refusal(content: bytes, *, is_sized: bool = False) -> str:
    found = _verify(content, is_sized=is_sized)
    assert not found.holds
    assert found.manifest is None
    (check,) = found.checks
    return check.detail


def test_the_good_one_is_accepted() -> None:
    found = _verify(GOOD, is_sized=True)
    assert found.holds, found.checks
    assert found.sha256 == hashlib.sha256(GOOD).hexdigest()


def test_another_key_is_refused_and_an_enclosed_key_is_never_looked_at() -> None:
    other = new_key()
    theirs = resigned(PARTS, other)
    assert "no accepted key has made it" in _refusal(theirs)
    # with their own public key inside, named as the verification material
    bundle = json.loads(_parts(theirs)["signature.json"])
    bundle["verificationMaterial"]["publicKey"]["rawBytes"] = base64.b64encode(b"a key").decode()
    swapped = {**_parts(theirs), "signature.json": json.dumps(bundle).encode()}
    assert "no accepted key has made it" in _refusal(archive(swapped.items()))
    assert "no accepted key has made it" in _verify(GOOD, other).checks[0].detail


def test_a_snapshots_signature_never_passes_for_a_bundles() -> None:
    # whoever hands in a folder that looks like a bundle has it signed as a snapshot, under its digest's name
    forged = resigned(PARTS, KEY, subject="f" * 64)
    assert "what was signed is called" in _refusal(forged)
    assert "'mop-bundle:1:m:v2'" in _refusal(resigned(PARTS, KEY, subject="mop-bundle:1:m:v2"))


def test_a_swapped_part_is_refused() -> None:
    for path in ("artifact/model/w", "evidence/gates.json"):
        changed = {**PARTS, path: PARTS[path][::-1]}
        assert f"'{path}' is not what was signed" in _refusal(archive(changed.items()))
    changed = {**PARTS, "artifact/model/w": b"other weights"}
    assert "bytes; 7 were signed" in _refusal(archive(changed.items()))


def test_the_manifest_of_another_bundle_is_refused() -> None:
    other = _parts(resigned({**PARTS, "artifact/model/w": b"WEIGHTS"}, KEY))
    assert "not the one that was signed" in _refusal(
        archive({**PARTS, "manifest.json": other["manifest.json"]}.items())
    )


def test_extra_missing_double_and_moved_files_are_refused() -> None:
    entries = list(PARTS.items())
    assert "'zzz' was not signed" in _refusal(archive([*entries, ("zzz", b"")]))
    assert "stands twice" in _refusal(archive([*entries, entries[-1]]))
    assert "stands twice" in _refusal(archive([*entries, ("manifest.json", PARTS["manifest.json"])]))
    assert "is expected" in _refusal(archive([*entries[:2], ("aaa", b""), *entries[2:]]))
    assert "is missing" in _refusal(archive(entries[:-1]))
    assert "is expected" in _refusal(archive([*entries[:2], *reversed(entries[2:])]))
    assert "'manifest.json' stands where 'signature.json' is expected" in _refusal(archive(entries[1:]))


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "artifact/../../x", "a\\b", "a//b", "x\u202egpj"])
def test_a_path_that_reaches_outside_is_refused_behind_and_inside(path: str) -> None:
    entries = list(PARTS.items())
    assert "is not allowed: the" in _refusal(archive([*entries, (path, b"x")]))
    assert "is not allowed: the" in _refusal(archive([*entries[:2], (path, b"x"), *entries[2:]]))


def test_a_signed_manifest_with_such_a_path_is_refused_too() -> None:
    row = {"path": "../x", "size": 0, "sha256": hashlib.sha256(b"").hexdigest()}
    document = json.loads(PARTS["manifest.json"])
    document["parts"].append(row)
    content = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    files = [ManifestFile("manifest.json", len(content), hashlib.sha256(content).hexdigest())]
    signature = model_signature.sign(
        model_signature.statement("mop-bundle:1:m:v1", files), model_signature.STATEMENT, KEY
    )
    detail = _refusal(archive([("signature.json", signature), ("manifest.json", content)]))
    assert "'../x': the path has the segment '..'" in detail


def _special(kind: bytes, name: str = "link", target: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info.tobuf(tarfile.USTAR_FORMAT)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.DIRTYPE, "a folder"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (tarfile.GNUTYPE_SPARSE, "a sparse file"),
        (tarfile.GNUTYPE_LONGNAME, "a name in GNU's form"),
        (tarfile.AREGTYPE, "of an unknown kind"),
    ],
)
def test_links_devices_and_folders_are_refused(kind: bytes, word: str) -> None:
    special = _special(kind, target="/etc/passwd")
    assert word in _refusal(special + GOOD)
    assert word in _refusal(GOOD[: -len(END)] + special + END)


def test_a_header_that_means_the_same_in_other_words_is_refused() -> None:
    info = tarfile.TarInfo("signature.json")
    info.size, info.mode = len(PARTS["signature.json"]), 0o4755
    rest = GOOD[len(header(Entry("signature.json", info.size))) :]
    assert "is not the one that bundles have" in _refusal(info.tobuf(tarfile.USTAR_FORMAT) + rest)


def test_a_truncated_file_is_refused_at_every_place() -> None:
    for end in (
        0,
        1,
        511,
        512,
        600,
        len(GOOD) // 2,
        len(GOOD) - 1025,
        len(GOOD) - 1024,
        len(GOOD) - 512,
        len(GOOD) - 1,
    ):
        assert "cut short" in _refusal(GOOD[:end])
        if end > 10_000:
            assert "its manifest asks for" in _refusal(GOOD[:end], is_sized=True)


def test_what_stands_behind_the_end_or_between_files_is_refused() -> None:
    assert "behind the end" in _refusal(GOOD + b"\0")
    assert "its manifest asks for" in _refusal(GOOD + GOOD, is_sized=True)
    place = GOOD.index(PARTS["artifact/model/w"]) + len(PARTS["artifact/model/w"])
    assert "between two files" in _refusal(GOOD[:place] + b"x" + GOOD[place + 1 :])


class _Endless(io.RawIOBase):
    """The beginning of a bundle, then zeros without end; counts what is read."""

    def __init__(self, begin: bytes) -> None:
        self._begin = io.BytesIO(begin)
        self.taken = 0

    def read(self, count: int = -1) -> bytes:
        found = self._begin.read(count) or bytes(count)
        self.taken += len(found)
        return found


@pytest.mark.parametrize(
    ("begin", "message"),
    [
        (header(Entry("signature.json", SIGNATURE_BYTES_MAX + 1)), "are allowed"),
        (header(Entry("signature.json", 10**15)), "are allowed"),
        (GOOD[: GOOD.index(b"manifest.json")] + header(Entry("manifest.json", MANIFEST_BYTES_MAX + 1)), "are allowed"),
        (GOOD[: GOOD.index(b"artifact/model/w", GOOD.index(PARTS["manifest.json"]) + len(PARTS["manifest.json"]))]
         + header(Entry("artifact/model/w", 10**15)), "7 were signed"),
    ],
    ids=["signature", "huge signature", "manifest", "part"],
)  # fmt: skip
def test_a_bomb_by_size_is_refused_before_it_is_read(begin: bytes, message: str) -> None:
    file = _Endless(begin)
    found = verify(file, [KEY.public_key()])  # type: ignore[arg-type] # it reads as a file
    assert message in found.checks[0].detail
    assert file.taken <= len(begin)


def test_a_huge_extended_header_is_refused() -> None:
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    file = _Endless(info.tobuf(tarfile.USTAR_FORMAT))
    found = verify(file, [KEY.public_key()])  # type: ignore[arg-type] # it reads as a file
    assert "longer than any that bundles have" in found.checks[0].detail
    assert file.taken == 512


NONSENSE: list[Callable[[], bytes]] = [
    lambda: b"",
    lambda: bytes(2048),
    lambda: b"PK\x03\x04" + bytes(2000),
    lambda: archive([("signature.json", b"[" * 100_000), *list(PARTS.items())[1:]]),
    lambda: archive([("signature.json", b"\xff"), *list(PARTS.items())[1:]]),
    lambda: archive([("signature.json", b"{}"), *list(PARTS.items())[1:]]),
]


@pytest.mark.parametrize("make", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_refused(make: Callable[[], bytes]) -> None:
    assert _refusal(make()).startswith("Refused: ")


# What an installation signed wrongly: the signature holds, and the checks fail ---------------------------------------


def _failing(parts: dict[str, bytes]) -> dict[str, str]:
    found = _verify(resigned(parts, KEY), is_sized=True)
    assert found.manifest is not None
    return {check.name: check.detail for check in found.checks if not check.holds}


def test_another_artifact_under_the_same_digest_fails() -> None:
    assert "the files have the digest" in _failing({**PARTS, "artifact/model/w": b"others!"})["artifact"]
    assert "artifact" in _failing({**PARTS, "artifact/model/more": b""})


def test_a_card_that_says_something_else_than_its_data_fails() -> None:
    assert _failing({**PARTS, "card/card.md": b"# m v1\n"})["card"] == "card.md says something else than card.json"
    card = json.loads(PARTS["card/card.json"]) | {"version": "v2"}
    assert "it is of another version" in _failing({**PARTS, "card/card.json": json.dumps(card).encode()})["card"]


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"rows": [{}], "result": "pass"}', b"[" * 100_000])
def test_documents_that_can_not_be_read_fail(content: bytes) -> None:
    assert "cannot be read" in _failing({**PARTS, "evidence/gates.json": content})["gates"]
    assert "cannot be read" in _failing({**PARTS, "card/card.json": content})["card"]


def test_gates_that_are_said_to_pass_and_do_not_fail() -> None:
    row = {
        **dict.fromkeys(("gate", "measure", "threshold", "why", "task"), ""),
        "source": "task",
        "number": 1,
        "condition": "open findings <= 0",
        "unit": "count",
        "ends": [0.0],
        "result": "pass",
        "parts": [
            {
                **dict.fromkeys(("of", "reason", "step"), ""),
                "where": "newest scan",
                "result": "pass",
                "value": 0.0,
                "low": None,
                "high": None,
            }
        ],
    }
    gates = {"service": None, "result": "pass", "rows": [row], "tasks": []}
    scan = {"scanned_at": "", "is_complete": True, "incomplete": [], "open": {"high": 2}, "report": {}}
    failing = _failing(
        {
            **PARTS,
            "evidence/gates.json": json.dumps(gates).encode(),
            "evidence/findings.json": json.dumps(scan).encode(),
        }
    )
    assert failing["gates"] == "open findings <= 0 comes out as fail; together they come out as fail, not pass"


# The format ----------------------------------------------------------------------------------------------------------

_paths = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=150)


@given(_paths, st.integers(0, 2**40))
def test_a_header_reads_back_as_what_it_was_made_of(path: str, size: int) -> None:
    if "\0" in path or path.endswith("/"):
        return
    assert ArchiveReader(io.BytesIO(header(Entry(path, size)))).next() == Entry(path, size)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_byte_of_a_bundle_can_be_changed(place: int, change: int) -> None:
    changed = bytearray(GOOD)
    changed[place] ^= change
    found = _verify(bytes(changed))
    signature = GOOD.index(b'{"mediaType"'), GOOD.index(b'{"mediaType"') + len(PARTS["signature.json"])
    # what is outside the signed payload in the signature's own JSON says nothing: the key's hint, the key's id
    assert not found.holds or signature[0] <= place < signature[1]


@given(st.binary(max_size=3000))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    reader = ArchiveReader(io.BytesIO(content))
    with contextlib.suppress(BundleError):
        while reader.next():
            for _ in reader.chunks():
                pass
