"""The demo's own authorities: a root, an issuing authority, time stamps and certificate status.

Made for demo and tests. Whoever trusts this root trusts whoever can read its folder.
"""

import os
import shutil
import unicodedata
import warnings
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from signing.anchors import Anchor, for_tests
from signing.errors import SealKeyInvalid
from signing.keys import PublicKey
from signing.keys_file import FileKey
from signing.revocation import LocalResponder
from signing.timestamps import LocalTimestamper

_COUNTRY = "VN"
_ORGANISATION = "Kho Demo"
_NAME_LENGTH = 64  # RFC 5280, upper bound of a common name and of an organisation name
# Nobody answers there (RFC 2606): validators only look at a status when the certificate says where to ask.
_STATUS_ADDRESS = "http://ocsp.kho-demo.invalid/"
_BEFORE = timedelta(days=1)
_YEARS = 10  # of whoever signs; authorities outlive them, as they do outside
_AUTHORITY_YEARS = 30
_PARTS = ("root", "issuing", "timestamps", "status-root", "status-issuing")
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class DemoAuthority:
    """Five keys in a folder: root, issuing authority, time stamps, and a status responder for each issuer."""

    def __init__(self, keys: Mapping[str, "_Holder"]) -> None:
        self._keys = dict(keys)

    @classmethod
    def create(cls, folder: Path, at: datetime) -> Self:
        """Make the authorities, valid from a day before `at` to thirty years after it, kept in `folder`.

        Whoever signs (time stamps, status, seals) has ten years.

        The folder (mode 700, files 600) must not exist; it appears whole or not at all.
        """
        if folder.exists():
            raise FileExistsError(f"{folder} exists already")
        root = _Holder.root(at)
        issuing = root.issue(
            _name("Kho Demo Issuing CA"),
            [*_authority_extensions(path_length=0), _status_address()],
            authority=True,
        )
        keys = {
            "root": root,
            "issuing": issuing,
            "timestamps": issuing.issue(_name("Kho Demo Time Stamps"), _timestamp_extensions()),
            "status-root": root.issue(_name("Kho Demo Root Status"), _status_extensions()),
            "status-issuing": issuing.issue(_name("Kho Demo Status"), _status_extensions()),
        }
        for left_behind in folder.parent.glob(f".{folder.name}.*"):  # by a process that was killed
            shutil.rmtree(left_behind, ignore_errors=True)
        partial = folder.with_name(f".{folder.name}.{os.urandom(4).hex()}")
        partial.mkdir(mode=0o700, parents=True)
        for part, holder in keys.items():
            holder.seal_key().to_pem(partial / f"{part}.pem")
        partial.rename(folder)
        return cls(keys)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the authorities back. Raises SealKeyMissing, SealKeyInvalid (damaged or exposed)."""
        return cls({part: _Holder.from_pem(folder / f"{part}.pem") for part in _PARTS})

    def roots(self) -> list[bytes]:
        """Return the root certificates (DER) that a validator of the demo's documents trusts."""
        return [_der(self._keys["root"].certificate)]

    def anchors(self) -> tuple[Anchor, ...]:
        """Return the roots as what a validator trusts: for tests, and shown as such."""
        return for_tests(self.roots())

    def issue_seal_key(self, agency_name: str, code: str) -> FileKey:
        """Return a fresh seal key for an agency; `code` goes into the certificate as its identifier."""
        private = ec.generate_private_key(ec.SECP256R1())
        return FileKey(private, self.certify(agency_name, code, private.public_key()))

    def certify(self, agency_name: str, code: str, public: PublicKey) -> list[bytes]:
        """Return the certificates (DER) of a seal key that lives elsewhere: its own, then the issuers'."""
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, _COUNTRY),
                _named(NameOID.ORGANIZATION_NAME, agency_name),
                x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, code),
                _named(NameOID.COMMON_NAME, agency_name),
            ]
        )
        usage = _usage("digital_signature", "content_commitment")
        leaf = x509.BasicConstraints(ca=False, path_length=None)
        extensions: Extensions = [(leaf, True), (usage, True), _status_address()]
        issuing = self._keys["issuing"]
        return [_der(one) for one in (issuing.certify(subject, public, extensions), *issuing.chain)]

    def timestamper(self) -> LocalTimestamper:
        """Return the time stamp authority."""
        return LocalTimestamper(self._keys["timestamps"].seal_key())

    def revocation(self, revoked: Mapping[int, datetime] | None = None) -> LocalResponder:
        """Return the status responder; `revoked` maps serial numbers to times of revocation."""
        issuers = (("root", "status-root"), ("issuing", "status-issuing"))
        responders = {
            self._keys[issuer].certificate.subject.public_bytes(): self._keys[responder].seal_key()
            for issuer, responder in issuers
        }
        return LocalResponder(responders, revoked or {})


Extensions = list[tuple[x509.ExtensionType, bool]]


class _Holder:
    """A key, its certificate and the certificates above it."""

    def __init__(self, private: ec.EllipticCurvePrivateKey, chain: list[x509.Certificate]) -> None:
        self.private = private
        self.chain = chain

    @property
    def certificate(self) -> x509.Certificate:
        return self.chain[0]

    @classmethod
    def root(cls, at: datetime) -> Self:
        private = ec.generate_private_key(ec.SECP256R1())
        start = at.replace(microsecond=0) - _BEFORE
        stop = start + _BEFORE + timedelta(days=365.25 * _AUTHORITY_YEARS)
        name = _name("Kho Demo Root CA")
        extensions = _authority_extensions(path_length=None)
        certificate = _certificate(
            private, name, private.public_key(), name, start=start, stop=stop, extensions=extensions
        )
        return cls(private, [certificate])

    @classmethod
    def from_pem(cls, path: Path) -> Self:
        key = FileKey.from_pem(path)
        if not isinstance(key.private, ec.EllipticCurvePrivateKey):
            raise SealKeyInvalid(f"{path} holds no P-256 key")
        return cls(key.private, [x509.load_der_x509_certificate(one) for one in key.certificates])

    def issue(self, subject: x509.Name, extensions: Extensions, *, authority: bool = False) -> "_Holder":
        private = ec.generate_private_key(ec.SECP256R1())
        made = self.certify(subject, private.public_key(), extensions, authority=authority)
        return _Holder(private, [made, *self.chain])

    def certify(
        self, subject: x509.Name, public: PublicKey, extensions: Extensions, *, authority: bool = False
    ) -> x509.Certificate:
        own = self.certificate
        end = own.not_valid_before_utc + _BEFORE + timedelta(days=365.25 * _YEARS)
        return _certificate(
            self.private,
            own.subject,
            public,
            subject,
            start=own.not_valid_before_utc,
            stop=own.not_valid_after_utc if authority else end,
            extensions=extensions,
        )

    def seal_key(self) -> FileKey:
        return FileKey(self.private, [_der(one) for one in self.chain])


def _certificate(
    issuer_key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    public: PublicKey,
    subject: x509.Name,
    *,
    start: datetime,
    stop: datetime,
    extensions: Extensions,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(stop)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())


def _named(kind: x509.ObjectIdentifier, text: str) -> x509.NameAttribute[str]:
    """Give a name of at most 64 characters (RFC 5280); the library counts bytes, and Vietnamese has more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        short = unicodedata.normalize("NFC", text)[:_NAME_LENGTH]
        return x509.NameAttribute(kind, short, _validate=False)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, _COUNTRY),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*names: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in names for usage in _USAGES})


def _authority_extensions(path_length: int | None) -> Extensions:
    constraints = x509.BasicConstraints(ca=True, path_length=path_length)
    return [(constraints, True), (_usage("key_cert_sign", "crl_sign"), True)]


def _status_address() -> tuple[x509.ExtensionType, bool]:
    where = x509.UniformResourceIdentifier(_STATUS_ADDRESS)
    described = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)
    return x509.AuthorityInformationAccess([described]), False


def _timestamp_extensions() -> Extensions:
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage("digital_signature"), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),
        _status_address(),
    ]


def _status_extensions() -> Extensions:
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage("digital_signature"), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False),
        (x509.OCSPNoCheck(), False),
    ]


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)
