"""A whole PKI of the tests: root, issuing authority, status responders, time stamps, seal certificates.

Keys are P-256 but where RSA is asked for. Certificates say where their status is to be had when told so.
"""

import ipaddress
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Extensions = list[tuple[x509.ExtensionType, bool]]
YEAR = timedelta(days=365)
_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


@dataclass(frozen=True)
class Holder:
    """A key, its certificate, and the certificates above it (nearest first, the root last)."""

    private: Private
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()

    @property
    def chain(self) -> list[bytes]:
        return [der(one) for one in (self.certificate, *self.above)]


@dataclass
class Pki:
    """Authorities made at `at`, good for ten years; `status_url` and `crl_url` go into what is issued.

    `crl_url` gets the common name's last word and ".crl" behind it: `http://127.0.0.1:1/crl/` + `Root.crl`.
    """

    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    status_url: str = ""
    crl_url: str = ""

    def __post_init__(self) -> None:
        self.root = self._root()
        authority = [(x509.BasicConstraints(True, 0), True), (usage("key_cert_sign", "crl_sign"), True)]
        self.issuing = self.issue("Kho Test Issuing", [*authority, *self._where("Root")], by=self.root)
        responder: Extensions = [
            (usage("digital_signature"), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False),
            (x509.OCSPNoCheck(), False),
        ]
        self.root_status = self.issue("Kho Test Root Status", responder, by=self.root)
        self.status = self.issue("Kho Test Status", responder)
        self.stamps = self.issue("Kho Test Time Stamps", [*stamping(), *self._where("Issuing")])

    @property
    def roots(self) -> list[bytes]:
        return [der(self.root.certificate)]

    def seal(
        self,
        name: str = "Ủy ban nhân dân phường Trấn Biên",
        *,
        private: Private | None = None,
        usages: tuple[str, ...] = ("digital_signature", "content_commitment"),
        start: datetime | None = None,
        stop: datetime | None = None,
    ) -> Holder:
        """Issue a seal certificate, on a fresh P-256 key unless one is given."""
        extensions: Extensions = [
            (x509.BasicConstraints(False, None), True),
            (usage(*usages), True),
            *self._where("Issuing"),
        ]
        return self.issue(name, extensions, private=private, start=start, stop=stop)

    def issue(
        self,
        name: str,
        extensions: Extensions,
        *,
        by: Holder | None = None,
        private: Private | None = None,
        start: datetime | None = None,
        stop: datetime | None = None,
    ) -> Holder:
        """Issue any certificate, by the issuing authority unless told otherwise."""
        by = by or self.issuing
        private = private or ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(
            name, private, by.certificate.subject, by.private, extensions, start, stop
        )
        return Holder(private, certificate, (by.certificate, *by.above))

    def issue_for(self, public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, name: str) -> list[bytes]:
        """Issue a seal certificate for a key that lives elsewhere; gives the chain (DER)."""
        extensions: Extensions = [
            (x509.BasicConstraints(False, None), True),
            (usage("digital_signature", "content_commitment"), True),
            *self._where("Issuing"),
        ]
        by = self.issuing
        made = self._certificate(name, public, by.certificate.subject, by.private, extensions, None, None)
        return [der(made), der(by.certificate), *(der(one) for one in by.above)]

    def _root(self) -> Holder:
        private = ec.generate_private_key(ec.SECP256R1())
        name = distinguished("Kho Test Root")
        extensions: Extensions = [
            (x509.BasicConstraints(True, None), True),
            (usage("key_cert_sign", "crl_sign"), True),
        ]
        return Holder(
            private, self._certificate("Kho Test Root", private, name, private, extensions, None, None)
        )

    def _certificate(
        self,
        name: str,
        subject_key: Private | ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        issuer: x509.Name,
        issuer_key: Private,
        extensions: Extensions,
        start: datetime | None,
        stop: datetime | None,
    ) -> x509.Certificate:
        public = subject_key
        if isinstance(public, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            public = public.public_key()
        from_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = (
            x509.CertificateBuilder()
            .issuer_name(issuer)
            .subject_name(distinguished(name))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start or self.at - timedelta(days=1))
            .not_valid_after(stop or self.at + 10 * YEAR)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(from_issuer, critical=False)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(issuer_key, hashes.SHA256())

    def _where(self, issuer: str) -> Extensions:
        where: Extensions = []
        if self.status_url:
            address = x509.UniformResourceIdentifier(self.status_url)
            described = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, address)
            where.append((x509.AuthorityInformationAccess([described]), False))
        if self.crl_url:
            address = x509.UniformResourceIdentifier(f"{self.crl_url}{issuer}.crl")
            where.append(
                (x509.CRLDistributionPoints([x509.DistributionPoint([address], None, None, None)]), False)
            )
        return where


def serving(path: Path, pki: Pki, stop: datetime | None = None) -> ssl.SSLContext:
    """Make what a server on loopback needs to speak TLS, for `stop` at the latest; written to `path`."""
    where = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    bare: Extensions = [(x509.BasicConstraints(False, None), True), (where, False)]
    holder = pki.issue("127.0.0.1", bare, start=stop - YEAR if stop else None, stop=stop)
    secret = holder.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = (holder.certificate, *holder.above)
    path.write_bytes(secret + b"".join(one.public_bytes(Encoding.PEM) for one in chain))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context


def stamping(*, critical: bool = True) -> Extensions:
    """Give what makes a certificate one of a time stamp authority (RFC 3161, 2.3)."""
    return [
        (x509.BasicConstraints(False, None), True),
        (usage("digital_signature"), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical),
    ]


def usage(*names: str) -> x509.KeyUsage:
    """Give a key usage extension."""
    return x509.KeyUsage(**{one: one in names for one in _USAGES})


def distinguished(common: str) -> x509.Name:
    """Give a name of the tests."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Kho Test"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def der(certificate: x509.Certificate) -> bytes:
    """Encode a certificate."""
    return certificate.public_bytes(Encoding.DER)


def pem(certificate: bytes) -> str:
    """Give a certificate (DER) as PEM."""
    return x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM).decode()
