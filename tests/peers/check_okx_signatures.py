"""The requests that the function sends OKX, signed by ccxt, okx-sdk and python-okx: byte for byte the same

The function's own tests hold its requests against a table, `requests.txt`. Here clients that nobody here wrote are given the same
key, time, path and fields, and have to come to the same signature; nothing is sent.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from inspect import signature
from urllib.parse import parse_qsl, urlsplit

import ccxt
from requests.adapters import BaseAdapter

import servers
from okx_clients import Credential, OkxSdk, PythonOkx, okx_sdk_utils, python_okx_utils

TABLE = servers.ROOT / "src/exchange/okx/requests.txt"
# What each request of the table is signed with. Its key and passphrase stand in its headers.
SECRET = "testsecret"
FEWEST = 50
DEMO = "x-simulated-trading"
API = "/api/v5/"


@dataclass(frozen=True)
class Request:
    """A request, and what it is for."""

    what: str
    method: str
    url: str
    headers: dict
    body: str

    @cached_property
    def place(self):
        return urlsplit(self.url)

    @property
    def origin(self):
        return f"{self.place.scheme}://{self.place.netloc}"

    @property
    def path_and_query(self):
        return self.url.removeprefix(self.origin)

    @property
    def is_signed(self):
        return "ok-access-sign" in self.headers

    @property
    def is_demo(self):
        return self.headers.get(DEMO) == "1"

    @property
    def fields(self):
        return json.loads(self.body) if self.body else dict(parse_qsl(self.place.query, keep_blank_values=True))

    @property
    def signing(self):
        """The headers that say who signed, when and for which environment, and the signature."""
        named = {name: value for name, value in self.headers.items() if name.startswith("ok-access-")}
        # A client may say that it does not mean the demo environment, or not say it.
        return {DEMO: self.headers.get(DEMO, "0"), **named}

    @property
    def credential(self):
        return self.headers["ok-access-key"], SECRET, self.headers["ok-access-passphrase"]


def recorded(text):
    """The table's requests, which have an empty line between them."""
    for block in text.strip().split("\n\n"):
        what, line, *lines = block.split("\n")
        method, url = line.split(" ")
        headers = {}
        while lines and (header := re.fullmatch(r"([a-z0-9-]+): (.*)", lines[0])):
            headers[header[1]] = header[2]
            lines.pop(0)
        yield Request(what.removeprefix("# "), method, url, headers, "\n".join(lines))


class Stopped(Exception):
    """A client has made this request, and it goes no further."""


class Nowhere(BaseAdapter):
    def send(self, request, **_):
        raise Stopped(request)

    def close(self):
        pass


def stop(request):
    raise Stopped(request)


def made(call, *values, **named):
    """The request that this makes, down to the bytes that would be sent."""
    try:
        call(*values, **named)
    except Stopped as stopped:
        (request,) = stopped.args
        body = request.content if hasattr(request, "content") else request.body
        headers = {name.lower(): value for name, value in request.headers.items()}
        return Request("", request.method, str(request.url), headers, (body or b"").decode())
    raise AssertionError("no request was made")


def signed_by_ccxt(request):
    """ccxt makes all of it from the path, the fields and the time."""
    key, secret, passphrase = request.credential
    api = ccxt.okx({"apiKey": key, "secret": secret, "password": passphrase, "enableRateLimit": False})
    if request.is_demo:
        api.set_sandbox_mode(True)
    api.urls["api"] = {"rest": request.origin}
    api.session.mount(request.origin, Nowhere())
    at = datetime.fromisoformat(request.headers["ok-access-timestamp"])
    api.nonce = lambda: round(at.timestamp() * 1000)
    return made(api.request, request.place.path.removeprefix(API), ["private"], request.method, request.fields)


def is_made_alike_by_ccxt(request):
    by_ccxt = signed_by_ccxt(request)
    same(request, "url", request.url, by_ccxt.url)
    same(request, "body", request.body, by_ccxt.body)
    same(request, "headers", request.signing, by_ccxt.signing)
    if request.method == "POST":
        same(request, "content type", request.headers.get("content-type"), by_ccxt.headers["content-type"])


def is_signed_alike_by(utils, flag):
    """Whether its functions for signing give the same headers. Its requests as a whole have blanks in their JSON."""

    def check(request):
        key, secret, passphrase = request.credential
        at = request.headers["ok-access-timestamp"]
        text = utils.pre_hash(at, request.method, request.path_and_query, request.body, False)
        headers = utils.get_header(key, utils.sign(text, secret).decode(), at, passphrase, flag(request.is_demo), False)
        headers = {name.lower(): value for name, value in headers.items()}
        same(request, "headers", request.signing, Request("", "", "", headers, "").signing)

    return check


def is_what_another_client_calls_it(request):
    """Whether the client that has a call for this sends the same fields to the same path, in whatever order."""
    call = calls(request.origin, request.is_demo).get((request.method, request.place.path.removeprefix(API)))
    assert call, f"{request.what}: no client has a call for {request.method} {request.place.path}"
    unknown = request.fields.keys() - signature(call).parameters.keys()
    assert not unknown, f"{request.what}: no client has a field {', '.join(sorted(unknown))}"
    other = made(call, **request.fields)
    same(request, "method", request.method, other.method)
    same(request, "url", request.place._replace(query=""), other.place._replace(query=""))
    # okx-sdk leaves an empty field out, which asks OKX for the same. Where a key is edited it does not, and python-okx sends it.
    empty = request.place.path.endswith("/modify-apikey")
    fields, others = ({k: v for k, v in some.items() if v or empty} for some in (request.fields, other.fields))
    same(request, "fields", fields, others)


@cache
def calls(origin, demo):
    """What okx-sdk and python-okx have, by method and path. Nobody looks at their signatures here."""
    sdk, python_okx = (client(origin, Credential("key", "secret", "passphrase"), demo=demo) for client in (OkxSdk, PythonOkx))
    for api in (sdk.subaccount, python_okx.account, python_okx.subaccount):
        api.event_hooks = {"request": [stop]}
    return {
        ("GET", "account/config"): python_okx.account.get_account_config,
        ("GET", "users/subaccount/apikey"): sdk.subaccount.get_apikey,
        ("POST", "users/subaccount/apikey"): sdk.subaccount.create_apikey,
        ("POST", "users/subaccount/modify-apikey"): python_okx.subaccount.reset_subaccount_apikey,
        ("POST", "users/subaccount/delete-apikey"): sdk.subaccount.delete_apikey,
    }


def same(request, what, ours, theirs):
    # A table has no credential that is worth anything, so all of it may be shown.
    assert ours == theirs, f"{request.what}: the {what}: {ours!r} in the table, {theirs!r} by the client"


def each(check):
    def of(requests):
        for request in requests:
            check(request)

    return of


def there_are_enough(requests):
    assert len(requests) >= FEWEST, f"{len(requests)} signed requests in {TABLE.relative_to(servers.ROOT)}: fewer than {FEWEST}"


def run(report):
    assert TABLE.exists(), f"there is no {TABLE.relative_to(servers.ROOT)}"
    requests = [request for request in recorded(TABLE.read_text()) if request.is_signed]
    report.check(f"the table has at least {FEWEST} signed requests", there_are_enough, requests)
    for name, check in (
        ("ccxt makes each of {} requests alike: URL, headers, signature and body", is_made_alike_by_ccxt),
        ("okx-sdk signs each of {} requests alike", is_signed_alike_by(okx_sdk_utils, bool)),
        ("python-okx signs each of {} requests alike", is_signed_alike_by(python_okx_utils, lambda demo: str(int(demo)))),
        ("okx-sdk and python-okx have the paths and fields of each of {} requests", is_what_another_client_calls_it),
    ):
        report.check(name.format(len(requests)), each(check), requests)
