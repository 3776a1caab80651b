# mypy: allow-untyped-calls
"""Proofs of status that a CAdES signature carries outside its signed bytes (EN 319 122-1, A.1.3)."""

from collections.abc import Iterator

from asn1crypto import cms, core, crl, ocsp

_REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"  # id-aa-ets-revocationValues


class _Lists(core.SequenceOf):
    _child_spec = crl.CertificateList


class _Responses(core.SequenceOf):
    _child_spec = ocsp.BasicOCSPResponse


class RevocationValues(core.Sequence):
    """The value of the attribute; what is of no known kind is not looked at."""

    _fields = [  # noqa: RUF012 - asn1crypto reads it from the class
        ("crl_vals", _Lists, {"explicit": 0, "optional": True}),
        ("ocsp_vals", _Responses, {"explicit": 1, "optional": True}),
        ("other_rev_vals", core.Any, {"explicit": 2, "optional": True}),
    ]


def values_in(signed_data: cms.SignedData) -> Iterator[RevocationValues]:
    """Find the values of the one signer. Raises ValueError for damaged ones."""
    attributes = signed_data["signer_infos"][0]["unsigned_attrs"]
    if isinstance(attributes, core.Void):
        return
    for attribute in attributes:
        if attribute["type"].dotted == _REVOCATION_VALUES:
            for value in attribute["values"]:
                yield RevocationValues.load(value.dump(), strict=True)


def responses_of(values: RevocationValues) -> Iterator[ocsp.OCSPResponse]:
    """Give the answers as a responder would have sent them: the attribute holds the inner part alone."""
    for basic in values["ocsp_vals"] or ():
        inner = {"response_type": "basic_ocsp_response", "response": core.ParsableOctetString(basic.dump())}
        yield ocsp.OCSPResponse({"response_status": "successful", "response_bytes": inner})


def lists_of(values: RevocationValues) -> Iterator[crl.CertificateList]:
    """Give the lists."""
    yield from values["crl_vals"] or ()
