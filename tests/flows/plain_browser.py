"""A plain browser: redirects, cookies and forms, and no script."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

TO_THE_WALLET = "Sign in with electronic identity"
TO_THE_ROOM = {"desk": "To the desk", "auditor": "To the audit", "administrator": "To administration"}


@dataclass
class Form:
    """A form of a page: where it goes, its fields, and its buttons by their words."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # words, name, value


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.onward = ""
        self._inside = False
        self._button: tuple[str, str] | None = None
        self._words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "meta" and told.get("http-equiv") == "refresh":
            self.onward = told["content"].partition("url=")[2]
        if tag == "form":
            self.forms.append(Form(told.get("action", ""), told.get("method", "get")))
            self._inside = True
        if not self._inside:
            return
        if tag in ("input", "textarea") and told.get("type") not in ("checkbox", "radio"):
            self.forms[-1].fields[told.get("name", "")] = told.get("value", "")
        if tag == "button":
            self._button, self._words = (told.get("name", ""), told.get("value", "")), ""

    def handle_data(self, data: str) -> None:
        self._words += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "button" and self._button is not None:
            self.forms[-1].buttons.append((self._words.strip(), *self._button))
            self._button = None
        if tag == "form":
            self._inside = False


class Browser:
    """Follows redirects and pages that lead on by themselves, keeps cookies, fills in forms; no script."""

    def __init__(self, base: str, language: str = "en", *, trusted: ssl.SSLContext | bool = True) -> None:
        self._base = base
        self.client = httpx.Client(
            headers={"Accept-Language": language, "User-Agent": "Test (Mobile)"}, timeout=60, verify=trusted
        )
        self.page = httpx.Response(200, text="")
        self.visited: list[str] = []

    def go(self, place: str) -> httpx.Response:
        return self._ask("GET", urljoin(self._base, place))

    def press(self, words: str, **typed: str) -> httpx.Response:
        """Press the button with these words, the form filled in."""
        for form in self._read().forms:
            for said, name, value in form.buttons:
                if said.startswith(words):
                    fields = form.fields | ({name: value} if name else {}) | typed
                    return self._ask(form.method.upper(), urljoin(self.at, form.action), fields)
        raise AssertionError(f"no button {words!r} on {self.at}:\n{self.page.text}")

    @property
    def at(self) -> str:
        return str(self.page.url)

    @property
    def place(self) -> str:
        return urlsplit(self.at).path

    def buttons(self) -> list[str]:
        return [said for form in self._read().forms for said, _, _ in form.buttons]

    def sign_in(self, button: str, account: str, acr: str = "", amr: str = "") -> httpx.Response:
        """Sign in from our door, through the provider's page, to where that leads."""
        self.go("/sign-in")
        self.press(button)
        return self.at_provider(account, acr, amr)

    def at_provider(self, account: str, acr: str = "", amr: str = "") -> httpx.Response:
        return self.press("Sign in", account=account, acr=acr, amr=amr)

    def leave_provider(self) -> None:
        """Forget the session at the provider, as a browser does that is closed and opened."""
        names = {one.name for one in self.client.cookies.jar if one.name.startswith("_session")}
        for name in names:
            self.client.cookies.delete(name)

    def cookie(self, name: str) -> str:
        return next((one.value or "" for one in self.client.cookies.jar if one.name == name), "")

    def close(self) -> None:
        self.client.close()

    def _ask(self, method: str, url: str, fields: Mapping[str, str] | None = None) -> httpx.Response:
        for _ in range(12):
            sent: dict[str, Any] = {"data": dict(fields)} if fields is not None and method == "POST" else {}
            self.page = self.client.request(method, url, **sent)
            self.visited.append(url)
            if self.page.status_code in (301, 302, 303, 307, 308):
                onward = self.page.headers["location"]
            elif self.page.headers.get("content-type", "").startswith("text/html"):
                onward = self._read().onward
            else:
                onward = ""
            if not onward:
                return self.page
            method, url, fields = "GET", urljoin(url, onward), None
        raise AssertionError(f"no end: {self.visited[-12:]}")

    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.page.text)
        return reader


def enter(
    address: str,
    button: str,
    account: str,
    cookie: str,
    *,
    acr: str = "",
    amr: str = "",
    trusted: ssl.SSLContext | bool = True,
) -> str:
    """Sign in at the door of a Kho, at its real provider; gives the secret of the session."""
    browser = Browser(address, trusted=trusted)
    try:
        browser.sign_in(button, account, acr, amr)
        secret = browser.cookie(cookie)
        assert secret, f"{account} was not let in:\n{browser.at}\n{browser.page.text}"
        return secret
    finally:
        browser.close()
