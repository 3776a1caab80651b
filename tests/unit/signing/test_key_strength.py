"""Which keys are strong enough, by date."""

from datetime import UTC, datetime

import pytest
from asn1crypto import algos, keys
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signing.trust import AlgorithmsByDate

BEFORE, AFTER = datetime(2013, 12, 31, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


def allowed(private: Key, algorithm: str, moment: datetime | None) -> bool:
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    made = algos.SignedDigestAlgorithm({"algorithm": algorithm})
    return bool(
        AlgorithmsByDate().signature_algorithm_allowed(made, moment, keys.PublicKeyInfo.load(der)).allowed
    )


@pytest.mark.parametrize(
    "curve",
    [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1(), ec.BrainpoolP256R1(), ec.BrainpoolP512R1()],
    ids=lambda one: one.name,
)
def test_strong_curves_count(curve: ec.EllipticCurve) -> None:
    assert allowed(ec.generate_private_key(curve), "sha256_ecdsa", AFTER)


@pytest.mark.parametrize("curve", [ec.SECP192R1(), ec.SECP224R1()], ids=lambda one: one.name)
def test_weak_curves_never_do(curve: ec.EllipticCurve) -> None:
    private = ec.generate_private_key(curve)
    assert not any(allowed(private, "sha256_ecdsa", moment) for moment in (None, BEFORE, AFTER))


def test_edwards_curves_count() -> None:
    assert allowed(ed25519.Ed25519PrivateKey.generate(), "ed25519", AFTER)
    assert allowed(ed448.Ed448PrivateKey.generate(), "ed448", AFTER)


def test_a_short_rsa_key_counts_for_what_is_proven_to_be_old() -> None:
    private = rsa.generate_private_key(65537, 1024)
    assert allowed(private, "sha256_rsa", BEFORE)
    assert not allowed(private, "sha256_rsa", AFTER)
    assert not allowed(private, "sha256_rsa", None)
    assert not allowed(private, "md5_rsa", BEFORE)
    assert allowed(rsa.generate_private_key(65537, 2048), "sha256_rsa", AFTER)
