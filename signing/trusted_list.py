# mypy: disable-error-code="no-untyped-call"
"""Reading a trusted list (ETSI TS 119 612): which services it grants, since when and until when.

Only what its own signature covers is read. Taken are certification authorities for qualified certificates and
qualified time stamp authorities, for the time in which their status was one of approval; nothing is fetched.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from lxml import etree
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from signing.anchors import Anchor, Purpose
from signing.errors import TrustedListRefused

LARGEST_LIST = 20 * 1024 * 1024  # bytes
_MOST_SERVICES = 5000
_TSL = "{http://uri.etsi.org/02231/v2#}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ROOT = f"{_TSL}TrustServiceStatusList"
_PURPOSES: dict[str, Purpose] = {
    "http://uri.etsi.org/TrstSvc/Svctype/CA/QC": "public",
    "http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST": "timestamp",
}
# TS 119 612, 5.5.4: "granted" since 2016; the others are approvals of lists before (D.5.6).
_STATUS = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"
_APPROVED = frozenset(
    f"{_STATUS}{one}" for one in ("granted", "accredited", "undersupervision", "supervisionincessation")
)


@dataclass(frozen=True)
class TrustedList:
    """What a list says: whose it is, which number, and the anchors that it makes.

    `skipped` counts the services of other kinds and those never approved, `unreadable` the ones without a
    certificate that can be read.
    """

    scheme: str
    sequence: int
    issued_at: datetime
    next_update: datetime | None
    anchors: tuple[Anchor, ...]
    skipped: int
    unreadable: int


def read_trusted_list(content: bytes, signer: x509.Certificate | None) -> TrustedList:
    """Read a list that `signer` signed; None takes one whose signature nobody looks at.

    Raises:
        TrustedListRefused: "too_large", "not_xml", "signature_wrong", "not_a_trusted_list".
    """
    root = _parsed(content)
    if signer is not None:
        root = _signed(root, signer)
    if root.tag != _ROOT:
        raise TrustedListRefused("not_a_trusted_list")
    try:
        return _read(root)
    except (ValueError, TypeError, AttributeError) as problem:
        raise TrustedListRefused("not_a_trusted_list") from problem


def _parsed(content: bytes) -> Any:
    if len(content) > LARGEST_LIST:
        raise TrustedListRefused("too_large")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise TrustedListRefused("not_xml") from problem
    if root.getroottree().docinfo.doctype:  # a list needs no document type, and entities come with one
        raise TrustedListRefused("not_xml")
    return root


def _signed(root: Any, signer: x509.Certificate) -> Any:
    """Give the part of the list that its signature covers, which has to be the list itself."""
    config = XAdESSignatureConfiguration(require_x509=True, expect_references=True)
    try:
        results = XAdESVerifier().verify(root, x509_cert=signer, expect_config=config)
    except MemoryError:
        raise
    except Exception as problem:  # signxml, lxml and cryptography raise plain errors of many kinds
        raise TrustedListRefused("signature_wrong") from problem
    found = results if isinstance(results, list) else [results]
    for one in found:
        if one.signed_xml is not None and one.signed_xml.tag == _ROOT:
            return one.signed_xml
    raise TrustedListRefused("signature_wrong")


def _read(root: Any) -> TrustedList:
    about = root.find(f"{_TSL}SchemeInformation")
    anchors: list[Anchor] = []
    skipped = unreadable = 0
    services = list(_services(root))
    if len(services) > _MOST_SERVICES:
        raise TrustedListRefused("too_large")
    for provider, service in services:
        purpose = _PURPOSES.get(_text(service.find(f"{_TSL}ServiceInformation"), "ServiceTypeIdentifier"))
        periods = _approved(service) if purpose is not None else []
        if purpose is None or not periods:
            skipped += 1
            continue
        certificate = _certificate(service)
        if certificate is None:
            unreadable += 1
            continue
        vi, en = (_label(provider, service, language) for language in ("vi", "en"))
        anchors += [Anchor(certificate, purpose, vi, en, since, until) for since, until in periods]
    following = about.find(f"{_TSL}NextUpdate/{_TSL}dateTime")
    return TrustedList(
        scheme=f"{_text(about, 'SchemeTerritory')} {_named(about.find(f'{_TSL}SchemeName'), 'en')}".strip(),
        sequence=int(_text(about, "TSLSequenceNumber")),
        issued_at=_instant(_text(about, "ListIssueDateTime")),
        next_update=None if following is None else _instant(following.text),
        anchors=tuple(anchors),
        skipped=skipped,
        unreadable=unreadable,
    )


def _services(root: Any) -> Iterator[tuple[Any, Any]]:
    for provider in root.iterfind(f"{_TSL}TrustServiceProviderList/{_TSL}TrustServiceProvider"):
        for service in provider.iterfind(f"{_TSL}TSPServices/{_TSL}TSPService"):
            yield provider, service


def _approved(service: Any) -> Sequence[tuple[datetime, datetime | None]]:
    """Give the times in which a service was approved, oldest first; the last may have no end."""
    told = [service.find(f"{_TSL}ServiceInformation")]
    told += service.findall(f"{_TSL}ServiceHistory/{_TSL}ServiceHistoryInstance")
    changes = sorted(
        (_instant(_text(one, "StatusStartingTime")), _text(one, "ServiceStatus") in _APPROVED) for one in told
    )
    periods: list[tuple[datetime, datetime | None]] = []
    since: datetime | None = None
    for moment, approved in changes:
        if approved and since is None:
            since = moment
        elif not approved and since is not None:
            periods.append((since, moment))
            since = None
    return [*periods, (since, None)] if since is not None else periods


def _certificate(service: Any) -> bytes | None:
    """Give the certificate of a service's current identity (DER)."""
    path = f"{_TSL}ServiceInformation/{_TSL}ServiceDigitalIdentity/{_TSL}DigitalId/{_TSL}X509Certificate"
    for one in service.iterfind(path):
        try:
            content = base64.b64decode("".join((one.text or "").split()), validate=True)
            x509.load_der_x509_certificate(content)
        except ValueError:
            continue
        return content
    return None


def _label(provider: Any, service: Any, language: str) -> str:
    who = _named(provider.find(f"{_TSL}TSPInformation/{_TSL}TSPName"), language)
    what = _named(service.find(f"{_TSL}ServiceInformation/{_TSL}ServiceName"), language)
    return " - ".join(one for one in (who, what) if one)[:200]


def _named(names: Any, language: str) -> str:
    """Give a name in a language, else in the first that there is."""
    found = [] if names is None else [one for one in names.iterfind(f"{_TSL}Name") if one.text]
    said = [one for one in found if one.get(_LANG) == language] or found
    return " ".join(said[0].text.split()) if said else ""


def _text(place: Any, name: str) -> str:
    return (place.findtext(f"{_TSL}{name}") or "").strip()


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text.strip())
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
