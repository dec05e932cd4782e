"""The stand-in for Bybit, driven by pybit and ccxt

If two clients that were written for the real Bybit, unchanged, can read, issue, use, list, edit and delete keys here, and raise
the errors that their own users know, then the stand-in speaks Bybit's protocol, and not just our idea of it.
"""

import time
from contextlib import contextmanager

import requests

import servers
from bybit_clients import Ccxt, Credential, Pybit, Site, Venue
from report import promise

SPOT = {"Spot": ["SpotTrade"]}
TRANSFER = {"Wallet": ["AccountTransfer"]}
NOT_HERE = "203.0.113.7"
CLOCK_ERROR_MS = 60_000


@contextmanager
def key(venue, **params):
    """A key for the sub-account, gone afterwards whatever happens."""
    asked = {"subuid": venue.site.sub_uid, "note": "peer", "readOnly": 0, "permissions": SPOT, **params}
    created = venue.master().create(**asked)
    try:
        yield Credential(created["apiKey"], created["secret"])
    finally:
        if created["apiKey"] in venue.all_keys():
            venue.master().delete(apikey=created["apiKey"])


def a_client_reads_the_time(venue):
    reply = venue.master().time()
    assert abs(int(reply["result"]["timeSecond"]) - time.time()) < 5
    assert int(reply["result"]["timeNano"]) // 1_000_000_000 == int(reply["result"]["timeSecond"])


def a_key_reads_itself(venue):
    own, sub = venue.master().own(), venue.sub().own()
    assert (own["apiKey"], own["secret"], own["isMaster"], own["parentUid"]) == (venue.site.master.key, "", True, "0")
    assert (sub["apiKey"], sub["isMaster"], sub["parentUid"]) == (venue.site.sub.key, False, str(own["userID"]))
    assert int(sub["userID"]) == venue.site.sub_uid
    for group in ("ContractTrade", "Spot", "Wallet", "Options", "Derivatives", "Exchange", "Earn", "NFT"):
        assert isinstance(sub["permissions"][group], list), group


def a_created_key_works_and_is_what_was_asked_for(venue):
    permissions = {"ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"]}
    with key(venue, note="peer-1", readOnly=1, permissions=permissions) as created:
        assert (len(created.key), len(created.secret)) == (18, 36)
        own = venue.signing_as(created).own()
        assert (own["note"], int(own["readOnly"]), own["ips"]) == ("peer-1", 1, ["*"])
        granted = {group: values for group, values in own["permissions"].items() if values}
        assert permissions.items() <= granted.items()
        assert granted.keys() - permissions.keys() <= {"Derivatives"}
        assert int(own["deadlineDay"]) in (89, 90)


def a_bound_key_is_refused_from_elsewhere_and_does_not_expire(venue):
    with key(venue, ips=f"{NOT_HERE},198.51.100.1") as created:
        with venue.refusal(10010):
            venue.signing_as(created).own()
        entry = venue.all_keys()[created.key]
        assert entry["ips"] == [NOT_HERE, "198.51.100.1"]
        assert (int(entry["status"]), int(entry["deadlineDay"]), entry["expiredAt"]) == (1, -2, "1970-01-01T00:00:00Z")


def a_listing_is_read_page_by_page(venue):
    with key(venue, note="peer-1") as first, key(venue, note="peer-2") as second:
        keys = venue.all_keys(limit=2)
        assert {venue.site.sub.key, first.key, second.key} <= keys.keys()
        assert (keys[first.key]["note"], keys[second.key]["note"]) == ("peer-1", "peer-2")
        assert keys[first.key]["secret"] == "******"
        assert keys[first.key]["readOnly"] is False
        assert keys == venue.all_keys()


def an_edit_replaces_permissions_and_addresses(venue):
    with key(venue) as created:
        edited = venue.master().edit(apikey=created.key, ips=NOT_HERE, permissions={"Earn": ["Earn"]})
        assert (edited["ips"], edited["permissions"]["Earn"], edited["permissions"]["Spot"]) == ([NOT_HERE], ["Earn"], [])
        with venue.refusal(10010):
            venue.signing_as(created).own()
        # Leaving the addresses out unbinds the key.
        assert venue.master().edit(apikey=created.key, readOnly=1)["ips"] == ["*"]
        own = venue.signing_as(created).own()
        assert (int(own["readOnly"]), own["permissions"]["Earn"]) == (1, ["Earn"])


def a_sub_accounts_key_edits_and_deletes_itself(venue):
    with key(venue, permissions=TRANSFER) as created:
        with venue.refusal(10001):
            venue.signing_as(created).edit(apikey=created.key, permissions=TRANSFER)
        venue.signing_as(created).edit(permissions=TRANSFER | SPOT)
        assert venue.signing_as(created).own()["permissions"]["Spot"] == ["SpotTrade"]
        venue.signing_as(created).delete()
        with venue.refusal(10003):
            venue.signing_as(created).own()


def a_deleted_key_is_invalid(venue):
    with key(venue) as created:
        venue.signing_as(created).own()
        venue.master().delete(apikey=created.key)
        with venue.refusal(10003):
            venue.signing_as(created).own()
        assert created.key not in venue.all_keys()
        with venue.refusal(10001):
            venue.master().delete(apikey=created.key)


def a_wrong_secret_is_refused(venue):
    with venue.refusal(10004):
        venue.signing_as(Credential(venue.site.master.key, "x" * 36)).own()


def an_unknown_key_is_refused(venue):
    with venue.refusal(10003):
        venue.signing_as(Credential("x" * 18, venue.site.master.secret)).own()


def a_missing_permission_is_refused(venue):
    with venue.refusal(10005):
        venue.sub().create(subuid=venue.site.sub_uid, readOnly=0, permissions=SPOT)
    with venue.refusal(10005):
        venue.sub().page(subMemberId=str(venue.site.sub_uid))
    with venue.refusal(10005):
        venue.sub().delete()


def a_clock_out_of_the_window_is_refused(venue):
    for error in (-CLOCK_ERROR_MS, CLOCK_ERROR_MS):
        with venue.refusal(10002):
            venue.master(clock_error_ms=error).own()


def what_makes_no_sense_is_refused(venue):
    for params in ({"permissions": {}}, {"permissions": {"Teleport": ["Beam"]}}, {"ips": "home"}, {"subuid": 1}):
        asked = {"subuid": venue.site.sub_uid, "readOnly": 0, "permissions": SPOT, **params}
        with venue.refusal(10001):
            venue.master().create(**asked)
    with venue.refusal(10001):
        venue.master().page(subMemberId=str(venue.site.sub_uid), limit=21)
    with venue.refusal(10001):
        venue.master().edit_master(ips="*")


def pybit_waits_by_the_rate_headers(site):
    venue = Venue(Pybit, site)
    with key(venue), key(venue):
        pass


def ccxt_is_told_of_the_rate_limit(site):
    venue = Venue(Ccxt, site)
    with key(venue):
        with venue.refusal(10006):
            venue.master().create_at_once(subuid=site.sub_uid, readOnly=0, permissions=SPOT)


def an_unsigned_request_is_http_401(site):
    assert requests.get(f"{site.url}/v5/user/query-api", timeout=5).status_code == 401


def an_unknown_path_is_http_404(site):
    assert requests.get(f"{site.url}/v5/user/nothing", timeout=5).status_code == 404


WITH_EACH_CLIENT = [
    a_client_reads_the_time,
    a_key_reads_itself,
    a_created_key_works_and_is_what_was_asked_for,
    a_bound_key_is_refused_from_elsewhere_and_does_not_expire,
    a_listing_is_read_page_by_page,
    an_edit_replaces_permissions_and_addresses,
    a_sub_accounts_key_edits_and_deletes_itself,
    a_deleted_key_is_invalid,
    a_wrong_secret_is_refused,
    an_unknown_key_is_refused,
    a_missing_permission_is_refused,
    a_clock_out_of_the_window_is_refused,
    what_makes_no_sense_is_refused,
]
ONCE = [
    pybit_waits_by_the_rate_headers,
    ccxt_is_told_of_the_rate_limit,
    an_unsigned_request_is_http_401,
    an_unknown_path_is_http_404,
]


def run(report):
    with servers.sandbox() as sandbox:
        site = Site.of(sandbox.variables)
        keys_before = Venue(Pybit, site).all_keys().keys()

        def every_key_issued_here_is_gone(venue):
            assert venue.all_keys().keys() == keys_before

        for client in (Pybit, Ccxt):
            for check in [*WITH_EACH_CLIENT, every_key_issued_here_is_gone]:
                report.check(f"{client.__name__}: {promise(check)}", check, Venue(client, site))
        for check in ONCE:
            report.check(promise(check), check, site)
