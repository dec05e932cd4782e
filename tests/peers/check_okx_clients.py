"""The stand-in for OKX, driven by ccxt, okx-sdk and python-okx

If three clients that were written for the real OKX, unchanged, can read, issue, use, list, edit and delete keys here, and get the
codes that their own users know, then the stand-in speaks OKX's protocol, and not just our idea of it.
"""

import time
from contextlib import contextmanager
from itertools import count

import requests

import servers
from okx_clients import TOO_FAST, Ccxt, Credential, OkxSdk, PythonOkx, Site, Venue, addresses, permissions, refusal
from report import promise

HERE = "127.0.0.1"
NOT_HERE = "203.0.113.7"
PASSPHRASE = "Peer-pass1"
CLOCK_ERROR_MS = 60_000

UNKNOWN_KEY = ("50111", "50119")
WRONG_PASSPHRASE = "50105"
WRONG_SIGNATURE = "50113"
WRONG_TIME = ("50102", "50112")
WRONG_ADDRESS = "50110"
OTHER_ENVIRONMENT = "50101"
MASTER_UNBOUND = "50035"
NO_PERMISSION = ("59500", "50030", "50120")
LABEL_TAKEN = "59502"
TOO_MANY_ADDRESSES = "59503"
WITHDRAWALS = "59504"
WEAK_PASSPHRASE = "59505"
NO_SUCH_KEY = "59506"
NO_SUCH_SUB_ACCOUNT = "59510"

LABELS = (f"peer{number}" for number in count(1))


def request(venue, **params):
    """All that a new key has to be asked for with. A label is never used twice."""
    named = {"subAcct": venue.site.sub_account, "label": next(LABELS), "passphrase": PASSPHRASE, "perm": "read_only,trade"}
    return {**named, **params}


@contextmanager
def key(venue, **params):
    """A key for the sub-account, gone afterwards whatever happens."""
    created = venue.issuer().create(**request(venue, **params))
    try:
        yield Credential(created["apiKey"], created["secretKey"], PASSPHRASE)
    finally:
        if created["apiKey"] in venue.all_keys():
            delete(venue, created["apiKey"])


def delete(venue, key_id):
    return venue.issuer().delete(subAcct=venue.site.sub_account, apiKey=key_id)


def edit(venue, created, **params):
    return venue.master().edit(subAcct=venue.site.sub_account, apiKey=created.key, **params)


def a_client_reads_the_time(venue):
    assert abs(int(venue.master().time()["ts"]) / 1000 - time.time()) < 5


def a_key_reads_itself(venue):
    master, sub = venue.master().own(), venue.sub().own()
    assert (master["type"], master["mainUid"], addresses(master)) == ("0", master["uid"], {HERE})
    assert {"read_only", "trade"} <= permissions(master)
    assert (sub["type"], sub["mainUid"]) == ("1", master["uid"])
    assert sub["uid"] != sub["mainUid"]


def a_created_key_works_and_is_what_was_asked_for(venue):
    asked = request(venue, ip=f"{HERE},{NOT_HERE}")
    created = venue.issuer().create(**asked)
    try:
        for name in ("subAcct", "label", "passphrase"):
            assert created[name] == asked[name], name
        assert (permissions(created), addresses(created)) == ({"read_only", "trade"}, {HERE, NOT_HERE})
        assert abs(int(created["ts"]) / 1000 - time.time()) < 5
        own = venue.signing_as(Credential(created["apiKey"], created["secretKey"], PASSPHRASE)).own()
        assert (own["label"], permissions(own), addresses(own)) == (asked["label"], {"read_only", "trade"}, {HERE, NOT_HERE})
        sub = venue.sub().own()
        assert (own["uid"], own["mainUid"], own["type"]) == (sub["uid"], sub["mainUid"], "1")
    finally:
        delete(venue, created["apiKey"])


def a_key_may_be_bound_to_nothing_and_only_read(venue):
    with key(venue, perm="read_only") as created:
        own = venue.signing_as(created).own()
        assert (permissions(own), own["ip"]) == ({"read_only"}, "")


def a_bound_key_is_refused_from_elsewhere(venue):
    with key(venue, ip=f"{NOT_HERE},198.51.100.1") as created:
        with refusal(WRONG_ADDRESS):
            venue.signing_as(created).own()
        assert addresses(venue.all_keys()[created.key]) == {NOT_HERE, "198.51.100.1"}


def an_edit_sets_what_a_key_may_do_and_leaves_secret_and_passphrase(venue):
    with key(venue) as created:
        before = venue.signing_as(created).own()
        edited = edit(venue, created, perm="read_only", ip=f"{HERE},{NOT_HERE}")
        assert (edited["subAcct"], edited["apiKey"]) == (venue.site.sub_account, created.key)
        own, entry = venue.signing_as(created).own(), venue.all_keys()[created.key]
        for seen in (edited, own, entry):
            wanted = (before["label"], {"read_only"}, {HERE, NOT_HERE})
            assert (seen["label"], permissions(seen), addresses(seen)) == wanted
        edit(venue, created, ip=NOT_HERE)
        with refusal(WRONG_ADDRESS):
            venue.signing_as(created).own()


def an_edit_leaves_what_it_does_not_name(venue):
    with key(venue, ip=HERE) as created:
        label = next(LABELS)
        edit(venue, created, label=label)
        edit(venue, created, perm="read_only")
        own = venue.signing_as(created).own()
        assert (own["label"], permissions(own), addresses(own)) == (label, {"read_only"}, {HERE})


def an_edit_with_no_address_unbinds(venue):
    with key(venue, ip=NOT_HERE) as created:
        edit(venue, created, ip="")
        assert venue.signing_as(created).own()["ip"] == ""


def a_listing_names_every_key_and_no_secret(venue):
    first, second = request(venue), request(venue, perm="read_only", ip=HERE)
    with key(venue, **first) as one, key(venue, **second) as other:
        keys = venue.all_keys()
        assert {venue.site.sub.key, one.key, other.key} <= keys.keys()
        for created, asked in ((one, first), (other, second)):
            entry = keys[created.key]
            assert (entry["label"], permissions(entry)) == (asked["label"], permissions(asked))
            assert addresses(entry) == addresses({"ip": "", **asked})
            assert abs(int(entry["ts"]) / 1000 - time.time()) < 60
        told = str(keys)
        assert not any(secret in told for secret in (one.secret, other.secret, PASSPHRASE))


def a_listing_of_one_key_names_that_key(venue):
    with key(venue) as created:
        listed = venue.issuer().keys(subAcct=venue.site.sub_account, apiKey=created.key)
        assert [entry["apiKey"] for entry in listed] == [created.key]


def a_label_is_taken_until_its_key_is_gone(venue):
    label = next(LABELS)
    with key(venue, label=label):
        with refusal(LABEL_TAKEN):
            venue.issuer().create(**request(venue, label=label))
    with key(venue, label=label):
        pass


def a_deleted_key_is_unknown(venue):
    with key(venue) as created:
        venue.signing_as(created).own()
        assert delete(venue, created.key)["subAcct"] == venue.site.sub_account
        with refusal(*UNKNOWN_KEY):
            venue.signing_as(created).own()
        assert created.key not in venue.all_keys()
        with refusal(NO_SUCH_KEY):
            delete(venue, created.key)
        with refusal(NO_SUCH_KEY):
            edit(venue, created, perm="read_only")


def a_sub_account_that_is_not_there_is_refused(venue):
    with refusal(NO_SUCH_SUB_ACCOUNT):
        venue.issuer().create(**request(venue, subAcct="nobodyhere"))
    with refusal(NO_SUCH_SUB_ACCOUNT):
        venue.issuer().keys(subAcct="nobodyhere")


def a_sub_accounts_key_may_not_manage_keys(venue):
    sub, itself = venue.sub(), {"subAcct": venue.site.sub_account, "apiKey": venue.site.sub.key}
    with refusal(*NO_PERMISSION):
        sub.create(**request(venue))
    with refusal(*NO_PERMISSION):
        sub.edit(**itself, perm="read_only")
    with refusal(*NO_PERMISSION):
        sub.delete(**itself)


def what_makes_no_sense_is_refused(venue):
    many = ",".join(f"203.0.113.{number}" for number in range(1, 22))
    for params, code in (
        ({"ip": many}, TOO_MANY_ADDRESSES),
        ({"perm": "read_only,withdraw"}, WITHDRAWALS),
        ({"passphrase": "peerpassword"}, WEAK_PASSPHRASE),
    ):
        with refusal(code):
            venue.issuer().create(**request(venue, **params))


def a_second_key_within_a_second_is_refused(venue):
    with key(venue):
        with refusal(TOO_FAST):
            venue.master(patient=False).create(**request(venue))


def a_wrong_passphrase_is_refused(venue):
    with refusal(WRONG_PASSPHRASE):
        venue.signing_as(Credential(venue.site.sub.key, venue.site.sub.secret, "Not-this-1")).own()


def a_wrong_secret_is_refused(venue):
    with refusal(WRONG_SIGNATURE):
        venue.signing_as(Credential(venue.site.sub.key, "x" * 32, venue.site.sub.passphrase)).own()


def an_unknown_key_is_refused(venue):
    with refusal(*UNKNOWN_KEY):
        venue.signing_as(Credential("x" * 36, venue.site.sub.secret, venue.site.sub.passphrase)).own()


def a_clock_out_of_the_window_is_refused(venue):
    for error in (-CLOCK_ERROR_MS, CLOCK_ERROR_MS):
        with refusal(*WRONG_TIME):
            venue.signing_as(venue.site.sub, clock_error_ms=error).own()


def a_live_key_is_refused_in_the_demo_environment(venue):
    with refusal(OTHER_ENVIRONMENT):
        venue.signing_as(venue.site.sub, demo=True).own()


def a_master_key_bound_to_no_address_may_not_issue(venue):
    unbound = venue.signing_as(venue.site.unbound_master)
    assert addresses(unbound.own()) == set()
    with refusal(MASTER_UNBOUND):
        unbound.create(**request(venue))


def ccxt_keeps_the_rate_by_itself(site):
    venue = Venue(Ccxt, site)
    master = venue.master(patient=False)
    time.sleep(1.1)
    for created in [master.create(**request(venue)) for _ in range(2)]:
        master.delete(subAcct=site.sub_account, apiKey=created["apiKey"])


def a_refusal_of_the_credential_has_its_status_and_no_data(site):
    venue = Venue(OkxSdk, site)
    sub = site.sub
    for client, codes, statuses in (
        (venue.signing_as(Credential("x" * 36, sub.secret, sub.passphrase)), UNKNOWN_KEY, (200, 401)),
        (venue.signing_as(Credential(sub.key, sub.secret, "Not-this-1")), (WRONG_PASSPHRASE,), (401,)),
        (venue.signing_as(Credential(sub.key, "x" * 32, sub.passphrase)), (WRONG_SIGNATURE,), (401,)),
        (venue.signing_as(sub, clock_error_ms=CLOCK_ERROR_MS), WRONG_TIME, (401,)),
        (venue.signing_as(sub, demo=True), (OTHER_ENVIRONMENT,), (401,)),
    ):
        with refusal(*codes):
            client.own()
        assert client.last.status_code in statuses, f"HTTP {client.last.status_code} with {codes}"
        assert client.last.json().keys() == {"code", "msg"}, f"{sorted(client.last.json())} with {codes}"


def a_later_refusal_is_http_200_with_empty_data(site):
    master = Venue(OkxSdk, site).master()
    with refusal(NO_SUCH_KEY):
        master.delete(subAcct=site.sub_account, apiKey="x" * 36)
    assert (master.last.status_code, master.last.json()["data"]) == (200, [])


def an_unsigned_request_is_http_401(site):
    reply = requests.get(f"{site.url}/api/v5/account/config", timeout=5)
    assert (reply.status_code, reply.json()["code"]) == (401, "50103")


def an_unknown_path_is_http_404(site):
    assert requests.get(f"{site.url}/api/v5/no-such-path", timeout=5).status_code == 404


WITH_EACH_CLIENT = [
    a_client_reads_the_time,
    a_key_reads_itself,
    a_created_key_works_and_is_what_was_asked_for,
    a_key_may_be_bound_to_nothing_and_only_read,
    a_bound_key_is_refused_from_elsewhere,
    an_edit_sets_what_a_key_may_do_and_leaves_secret_and_passphrase,
    an_edit_leaves_what_it_does_not_name,
    a_wrong_passphrase_is_refused,
    a_wrong_secret_is_refused,
    an_unknown_key_is_refused,
    a_clock_out_of_the_window_is_refused,
    a_live_key_is_refused_in_the_demo_environment,
]
WITH_EACH_THAT_UNBINDS = [an_edit_with_no_address_unbinds]
WITH_EACH_THAT_ISSUES = [
    a_listing_names_every_key_and_no_secret,
    a_listing_of_one_key_names_that_key,
    a_label_is_taken_until_its_key_is_gone,
    a_deleted_key_is_unknown,
    a_sub_account_that_is_not_there_is_refused,
    a_sub_accounts_key_may_not_manage_keys,
    what_makes_no_sense_is_refused,
    a_second_key_within_a_second_is_refused,
    a_master_key_bound_to_no_address_may_not_issue,
]
ONCE = [
    ccxt_keeps_the_rate_by_itself,
    a_refusal_of_the_credential_has_its_status_and_no_data,
    a_later_refusal_is_http_200_with_empty_data,
    an_unsigned_request_is_http_401,
    an_unknown_path_is_http_404,
]


def checks_with(client):
    yield from WITH_EACH_CLIENT
    if client.UNBINDS:
        yield from WITH_EACH_THAT_UNBINDS
    if client.ISSUES:
        yield from WITH_EACH_THAT_ISSUES


def run(report):
    with servers.okx() as sandbox:
        site = Site.of(sandbox.variables)
        keys_before = Venue(OkxSdk, site).all_keys().keys()

        def every_key_issued_here_is_gone(venue):
            assert venue.all_keys().keys() == keys_before

        for client in (Ccxt, OkxSdk, PythonOkx):
            for check in [*checks_with(client), every_key_issued_here_is_gone]:
                report.check(f"{client.__name__}: {promise(check)}", check, Venue(client, site))
        for check in ONCE:
            report.check(promise(check), check, site)
