"""A version that fails for want of a network, and is verified once an administrator allows it the host that it asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from environments.packages import PackageIndex, wheel
from storage.certificates import make_server_certificate
from support.installation import Installation
from support.model_folders import write_model

pytestmark = pytest.mark.sandbox
FILE = "tiny-1.0-py3-none-any.whl"


def test_a_version_reaches_the_host_that_an_administrator_allows_it(
    mop: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    certificate = make_server_certificate(tmp_path)
    server = PackageIndex(certificate=certificate)
    server.add(wheel("tiny", "1.0"))
    place = server.url.split("/")[2]
    try:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.ca_file))  # the worker's
        mop.start_worker()
        ask = f"import urllib.request; urllib.request.urlopen('https://{place}/files/{FILE}').read()"
        revision = mop.submit(write_model(mop.folders / "asks", init=ask))
        error = mop.wait(revision, "verifyFailed")["error"]
        assert error["name"] == "UserScriptException"
        assert "services have no network" in error["message"]
        assert "an administrator of MOP can allow this version that host" in error["hint"]
        assert server.downloads == []

        hosts = f"{revision.path}/allowed-hosts"
        mop.call("PUT", hosts, {"hosts": [place]}, status=403)
        with mop.as_administrator():
            assert mop.call("PUT", hosts, {"hosts": [f" {place} "]}) == {"hosts": [place]}
        assert mop.call("GET", hosts) == {"hosts": [place]}
        mop.call("POST", f"{revision.path}/retry")
        mop.wait(revision, "verified")
        assert set(server.downloads) == {FILE}
        assert f"the model reaches {place}" in mop.log(revision, "deployment")
        [(data,)] = mop.rows("select data from audit_auditevent where action = 'revision.allowed_hosts_changed'")
        assert data == {"from": [], "to": [place]}
    finally:
        server.close()
