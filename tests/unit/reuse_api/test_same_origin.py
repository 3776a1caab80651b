"""Which requests come from our own pages, or from no page at all."""

import pytest
from starlette.requests import Request

from reuse_api.same_origin import CrossSite, at_home, require_home


def request(method: str = "POST", **headers: str) -> Request:
    sent = {"host": "kho.example"} | {name.replace("_", "-"): value for name, value in headers.items()}
    raw = [(name.encode(), value.encode()) for name, value in sent.items()]
    return Request({"type": "http", "method": method, "path": "/", "headers": raw})


@pytest.mark.parametrize(
    ("headers", "home"),
    [
        ({}, True),
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "cross-site", "origin": "https://kho.example"}, False),
        ({"origin": "https://kho.example"}, True),
        ({"origin": "https://kho.example:8443"}, False),
        ({"origin": "https://kho.example.evil.example"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
    ],
)
def test_what_browsers_say_decides(headers: dict[str, str], home: bool) -> None:
    assert at_home(request(**headers)) is home


def test_reading_is_open_and_writing_is_not() -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        require_home(request(method, sec_fetch_site="cross-site"))
    for method in ("POST", "PUT", "PATCH", "DELETE", "ANYTHING"):
        with pytest.raises(CrossSite):
            require_home(request(method, sec_fetch_site="cross-site"))
