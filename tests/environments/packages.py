"""Tiny packages and a package index on the loopback interface, made by the tests themselves."""

from __future__ import annotations

import base64
import hashlib
import io
import ssl
import tarfile
import threading
import zipfile
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from support.azurite import ServerCertificate

BACKEND = """
import base64, hashlib, os, zipfile
{prelude}
def build_wheel(target, config_settings=None, metadata_directory=None):
    name, version = "{name}", "{version}"
    files = {{
        f"{{name}}.py": "built = True\\n",
        f"{{name}}-{{version}}.dist-info/METADATA": f"Metadata-Version: 2.1\\nName: {{name}}\\nVersion: {{version}}\\n",
        f"{{name}}-{{version}}.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    record = "".join(f"{{path}},,\\n" for path in files) + f"{{name}}-{{version}}.dist-info/RECORD,,\\n"
    files[f"{{name}}-{{version}}.dist-info/RECORD"] = record
    file = f"{{name}}-{{version}}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(target, file), "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return file
"""
PIP_MAIN = "import sys\nprint('pip {version} from', __file__, '(python %d.%d)' % sys.version_info[:2])\n"


def wheel(
    name: str,
    version: str,
    *,
    tag: str = "py3-none-any",
    requires: tuple[str, ...] = (),
    headers: str = "",
    files: dict[str, str] | None = None,
) -> tuple[str, bytes]:
    """File name and content of a wheel whose module is its name."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{headers}"
    metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
    members = {f"{module}/__init__.py": f"version = '{version}'\n"} if files is None else dict(files)
    members[f"{info}/METADATA"] = metadata
    members[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"
    record = ""
    for path, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(content.encode())}\n"
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in members.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return f"{module}-{version}-{tag}.whl", buffer.getvalue()


def pip_wheel(version: str = "24.0", main: str = PIP_MAIN) -> tuple[str, bytes]:
    """A stand-in for pip that says its version, as small as a test wants it."""
    return wheel("pip", version, files={"pip/__init__.py": "", "pip/__main__.py": main.replace("{version}", version)})


def sdist(name: str, version: str, *, prelude: str = "") -> tuple[str, bytes]:
    """File name and content of a source distribution with its own build backend; `prelude` runs when it is built."""
    root = f"{name}-{version}"
    members = {
        f"{root}/PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{root}/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        f"{root}/backend.py": BACKEND.format(name=name, version=version, prelude=prelude),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, content in members.items():
            member = tarfile.TarInfo(path)
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    return f"{root}.tar.gz", buffer.getvalue()


class PackageIndex:
    """A simple index (PEP 503). `status` answers instead of it; `gate` holds downloads of files while it is clear.

    `links` has packages whose file stands elsewhere, with its address.

    Args:
        certificate: speaks TLS with it.
        login: `user:password` without which nothing is told.
    """

    def __init__(self, *, certificate: ServerCertificate | None = None, login: str = "") -> None:
        self.login = login
        self.scheme = "https" if certificate else "http"
        self.files: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.downloads: list[str] = []
        self.status = HTTPStatus.OK
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate, certificate.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self._server.server_port}/simple"

    def add(self, *files: tuple[str, bytes]) -> None:
        self.files.update(files)

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def page(self, name: str) -> bytes | None:
        if name in self.links:
            return f'<a href="{self.links[name]}">{self.links[name].rpartition("/")[2]}</a>\n'.encode()
        files = [file for file in self.files if file.split("-")[0].replace("_", "-").lower() == name]
        if not files:
            return None
        return "".join(f'<a href="/files/{file}">{file}</a>\n' for file in files).encode()

    def _handler(index) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler below
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                folder, _, name = unquote(self.path).strip("/").partition("/")
                login = f"Basic {base64.b64encode(index.login.encode()).decode()}"
                if index.login and self.headers["Authorization"] != login:
                    self._answer(HTTPStatus.UNAUTHORIZED, b"")
                elif index.status != HTTPStatus.OK:
                    self._answer(index.status, b"")
                elif folder == "simple" and (page := index.page(name)) is not None:
                    self._answer(HTTPStatus.OK, page)
                elif folder == "files" and name in index.files:
                    index.waiting.set()
                    index.gate.wait(50)  # less than uv waits for an answer
                    index.downloads.append(name)
                    self._answer(HTTPStatus.OK, index.files[name])
                else:
                    self._answer(HTTPStatus.NOT_FOUND, b"")

            def do_HEAD(self) -> None:
                self.do_GET()

            def _answer(self, status: HTTPStatus, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if body[:2] == b"<a" else "application/octet-stream")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body if self.command == "GET" else b"")
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        return Handler


def write(folder: Path, file: tuple[str, bytes]) -> Path:
    """Write a made package into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file[0]
    path.write_bytes(file[1])
    return path
