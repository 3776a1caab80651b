"""A small national trusted list of the tests' own (ETSI TS 119 612), signed as one is."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from signxml.xades import XAdESSigner

from tests.servers.pki import Holder, der

CA = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC"
STAMPS = "http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST"
GRANTED, WITHDRAWN = (
    f"http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/{one}" for one in ("granted", "withdrawn")
)


@dataclass(frozen=True)
class Service:
    """A listed service: `changes` are its states, oldest first; `content` stands in for its certificate."""

    holder: Holder
    kind: str
    name: str
    changes: Sequence[tuple[datetime, str]]
    content: str = ""


def trusted_list(
    services: Sequence[Service], *, sequence: int, issued: datetime, following: datetime
) -> bytes:
    """Write a list of one provider."""
    listed = "".join(_service(one) for one in services)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" Id="list"
 TSLTag="http://uri.etsi.org/19612/TSLTag">
<SchemeInformation><TSLVersionIdentifier>5</TSLVersionIdentifier>
<TSLSequenceNumber>{sequence}</TSLSequenceNumber>
<SchemeName><Name xml:lang="en">Test list</Name></SchemeName><SchemeTerritory>VN</SchemeTerritory>
<ListIssueDateTime>{issued:%Y-%m-%dT%H:%M:%SZ}</ListIssueDateTime>
<NextUpdate><dateTime>{following:%Y-%m-%dT%H:%M:%SZ}</dateTime></NextUpdate></SchemeInformation>
<TrustServiceProviderList><TrustServiceProvider>
<TSPInformation><TSPName><Name xml:lang="vi">Nhà cung cấp</Name><Name xml:lang="en">Provider</Name></TSPName>
</TSPInformation><TSPServices>{listed}</TSPServices>
</TrustServiceProvider></TrustServiceProviderList></TrustServiceStatusList>""".encode()


def _service(one: Service) -> str:
    certificate = one.content or base64.b64encode(der(one.holder.certificate)).decode()
    *earlier, (since, status) = one.changes
    history = "".join(
        f"<ServiceHistoryInstance><ServiceTypeIdentifier>{one.kind}</ServiceTypeIdentifier>"
        f"<ServiceStatus>{state}</ServiceStatus>"
        f"<StatusStartingTime>{at:%Y-%m-%dT%H:%M:%SZ}</StatusStartingTime></ServiceHistoryInstance>"
        for at, state in reversed(earlier)
    )
    return (
        f"<TSPService><ServiceInformation><ServiceTypeIdentifier>{one.kind}</ServiceTypeIdentifier>"
        f'<ServiceName><Name xml:lang="vi">{one.name}</Name></ServiceName>'
        f"<ServiceDigitalIdentity><DigitalId><X509Certificate>{certificate}</X509Certificate></DigitalId>"
        f"</ServiceDigitalIdentity><ServiceStatus>{status}</ServiceStatus>"
        f"<StatusStartingTime>{since:%Y-%m-%dT%H:%M:%SZ}</StatusStartingTime></ServiceInformation>"
        f"<ServiceHistory>{history}</ServiceHistory></TSPService>"
    )


def signed_list(content: bytes, by: Holder) -> bytes:
    """Sign a list as XAdES, enveloped."""
    key = by.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate = by.certificate.public_bytes(Encoding.PEM)
    algorithm = "ecdsa-sha256"
    signed = XAdESSigner(signature_algorithm=algorithm).sign(
        etree.fromstring(content), key=key, cert=certificate.decode()
    )
    return bytes(etree.tostring(signed))
