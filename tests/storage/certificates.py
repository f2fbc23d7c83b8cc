"""A certificate authority of our own, for servers on 127.0.0.1 and for service principals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from support.azurite import ServerCertificate


def make_server_certificate(folder: Path) -> ServerCertificate:
    """Write a new authority's certificate, and a certificate for 127.0.0.1 that it signed."""
    authority_key, server_key = _key(), _key()
    authority = _certificate("MOP test authority", authority_key, "MOP test authority", authority_key, is_ca=True)
    server = _certificate("127.0.0.1", server_key, "MOP test authority", authority_key, is_ca=False)
    files = ServerCertificate(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    files.ca_file.write_bytes(authority.public_bytes(Encoding.PEM))
    files.certificate.write_bytes(server.public_bytes(Encoding.PEM))
    files.key.write_bytes(_pem(server_key))
    return files


def make_client_certificate(path: Path, *, password: str = "") -> x509.Certificate:
    """Write certificate and key of a service principal into one file; gives the certificate."""
    key = _key()
    certificate = _certificate("mop", key, "mop", key, is_ca=False)
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + _pem(key, password))
    return certificate


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(key: rsa.RSAPrivateKey, password: str = "") -> bytes:
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def _certificate(
    subject: str, key: rsa.RSAPrivateKey, issuer: str, issuer_key: rsa.RSAPrivateKey, *, is_ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
