"""Who else signs in the tests: other keys, other names, other lives, by the same authority."""

from datetime import datetime, timedelta

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from reuse_api.demo.pki import DemoAuthority
from tests.servers.pki import usage

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def party(
    authority: DemoAuthority,
    name: str,
    private: Private,
    *,
    at: datetime,
    lives: timedelta = timedelta(days=3000),
    units: tuple[str, ...] = (),
    usages: tuple[str, ...] = ("digital_signature", "content_commitment"),
) -> SimpleSigner:
    """Certify a key, from the day before `at` on, and give what pyHanko signs with."""
    by = authority._keys["issuing"]
    attributes = [x509.NameAttribute(NameOID.COUNTRY_NAME, "VN")]
    attributes += [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, one) for one in units]
    issued = (
        x509.CertificateBuilder()
        .issuer_name(by.certificate.subject)
        .subject_name(x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + lives)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.private.public_key()), False)
        .add_extension(usage(*usages), critical=True)
        # Without an address nobody would ask for its status.
        .add_extension(
            by.certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value, False
        )
        .sign(by.private, hashes.SHA256())
    )
    store = SimpleCertificateStore()
    chain = [issued, *by.chain]
    store.register_multiple([asn1_x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in chain])
    bare = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(issued.public_bytes(Encoding.DER)),
        signing_key=asn1_keys.PrivateKeyInfo.load(bare),
        cert_registry=store,
        embed_roots=True,
    )
