"""With a signing key, nothing is deployed but what was signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.installation import Installation
from support.model_folders import write_model
from support.signing import make_signing_key, signature_of

pytestmark = pytest.mark.sandbox


def test_a_signed_artifact_is_deployed_and_a_changed_one_waits_for_the_operator(mop: Installation, tmp_path: Path):
    mop.start_worker(signing_key=make_signing_key(tmp_path / "key.pem"), retry_base=0.2)
    folder = write_model(mop.folders / "signed")
    home = mop.root / "home"
    digest = mop.wait(mop.submit(folder), "verified")["artifact_digest"]
    assert signature_of(home / "artifacts", digest)

    code = home / "models" / digest / "src" / "inference.py"
    whole = code.read_bytes()
    code.chmod(0o644)
    code.write_bytes(b"#" * len(whole))
    second = mop.submit(folder)
    error = mop.wait(second, "toBeRetried")["error"]
    assert error["name"] == "ArtifactSignatureError"
    assert "src/inference.py on this host is not what was signed" in error["message"]
    assert "deploymentCreating" not in [status for _, status in mop.events(second)]

    code.write_bytes(whole)
    assert mop.wait(second, "verified")["artifact_digest"] == digest
    assert "PRIVATE KEY" not in mop.story(second)
