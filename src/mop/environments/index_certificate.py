"""A certificate authority of one build, by which the proxy can speak for an index that wants credentials.

Without it the credentials would have to lie in the cage, where a build script could read them.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mop.environments.index_targets import Target

_DAYS = 1


@dataclass(frozen=True)
class Impersonation:
    """What is needed to stand between a build and an index.

    Attributes:
        context: answers the build in the name of the indexes.
        trust: checks the real indexes.
        bundle: certificates that the build trusts: the usual ones, and the authority made here.
    """

    context: ssl.SSLContext
    trust: ssl.SSLContext
    bundle: Path


def impersonate(targets: Sequence[Target], *, certificates: Path | None, folder: Path) -> Impersonation | None:
    """Certificates for the targets that want credentials; None if none does.

    Args:
        targets: what the build may reach.
        certificates: authorities that the real indexes are checked by; None is the system's.
        folder: gets the bundle; the build can read it.
    """
    hosts = [target.host for target in targets if target.tls and target.credentials]
    if not hosts:
        return None
    authority, chain = _certificates(hosts)
    bundle = folder / "certificates.pem"
    bundle.write_bytes((certificates.read_bytes() + b"\n" if certificates else b"") + authority)
    bundle.chmod(0o644)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(dir=folder) as file:  # gone before the build starts
        file.write(chain)
        file.flush()
        context.load_cert_chain(file.name)
    return Impersonation(context, ssl.create_default_context(cafile=certificates), bundle)


def _certificates(hosts: Sequence[str]) -> tuple[bytes, bytes]:
    """The authority's certificate, and a key with its certificate for the hosts, as PEM."""
    # a tenth of a second that only installations with such an index spend
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    def certificate(name: str, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named("MOP build"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=_DAYS))
            .not_valid_after(now + dt.timedelta(days=_DAYS))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(authority_key, hashes.SHA256())

    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])

    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = [x509.IPAddress(ipaddress.ip_address(one)) if is_address(one) else x509.DNSName(one) for one in hosts]
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    authority = certificate("MOP build", authority_key, x509.BasicConstraints(ca=True, path_length=0), identifier)
    leaf = certificate(
        "package index",
        key,
        x509.BasicConstraints(ca=False, path_length=None),
        x509.SubjectAlternativeName(names),
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return authority.public_bytes(Encoding.PEM), private + leaf.public_bytes(Encoding.PEM)


def is_address(host: str) -> bool:
    """Whether a host is named by its address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
