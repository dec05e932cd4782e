use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::super::profile::GROUPS;
use super::*;
use crate::venue::KeySecret;

fn no_grants() -> Value {
    GROUPS
        .iter()
        .map(|group| ((*group).to_owned(), json!([])))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn grants(granted: &[(&str, &[&str])]) -> Value {
    let mut all = no_grants();
    for (group, values) in granted {
        all[*group] = json!(values);
    }
    all
}

const CREATE: &str = concat!(
    r#"{"subuid":53888000,"note":"rot-1","readOnly":0,"ips":"203.0.113.7","#,
    r#""permissions":{"Spot":["SpotTrade"]}}"#
);

#[test]
fn a_created_key_is_shown_with_its_secret_this_once() {
    let mut world = World::new();
    let master = world.master.clone();
    let reply = Sent::post(&world, &master, "/v5/user/create-sub-api", CREATE).envelope(&mut world);
    let key = world.model.keys().pop().expect("a key was created");
    let secret = reply["result"]["secret"]
        .as_str()
        .expect("there is a secret")
        .to_owned();
    let expected = json!({
        "retCode": 0, "retMsg": "", "retExtInfo": {}, "time": 1_700_000_000_000_i64,
        "result": {
            "id": key.id.to_string(), "note": "rot-1", "apiKey": key.key.as_str(), "readOnly": 0,
            "secret": secret, "permissions": grants(&[("Spot", &["SpotTrade"])]),
        }
    });
    assert_eq!(reply, expected);
    let credential = Credential {
        key: key.key,
        secret: KeySecret::from(secret.as_str()),
        passphrase: None,
    };
    assert!(world.try_key(&credential).is_ok());
}

#[test]
fn a_key_about_itself_has_the_documented_fields_and_types() {
    let mut world = World::new();
    let request = IssueRequest {
        read_only: true,
        addresses: vec!["203.0.113.7".to_owned()],
        ..asking("rot-1")
    };
    let created = world.create(request).expect("the master may create");
    let reply = Sent::get(&world, &created.credential, "/v5/user/query-api", "").envelope(&mut world);
    let expected = json!({
        "id": created.id.to_string(), "note": "rot-1", "apiKey": created.credential.key.as_str(),
        "readOnly": 1, "type": 1, "ips": ["203.0.113.7"],
        "secret": "", "permissions": grants(&[("Spot", &["SpotTrade"])]),
        "deadlineDay": -2, "expiredAt": "1970-01-01T00:00:00Z", "createdAt": "2023-11-14T22:13:21Z",
        "unified": 0, "uta": 1, "userID": SUB, "inviterID": 0, "vipLevel": "No VIP", "mktMakerLevel": "0",
        "affiliateID": 0, "rsaPublicKey": "", "isMaster": false, "parentUid": PARENT.to_string(),
        "kycLevel": "LEVEL_DEFAULT", "kycRegion": "", "userIDInt64": "0", "inviterIDInt64": "0",
        "affiliateIDInt64": "0",
    });
    assert_eq!(reply["result"], expected);
}

#[test]
fn a_listed_key_has_the_documented_fields_and_types() {
    let mut world = World::new();
    let request = IssueRequest {
        permissions: requested(&[("ContractTrade", &["Order", "Position"])]),
        ..asking("UTA")
    };
    let created = world.create(request).expect("the master may create");
    let (master, query) = (world.master.clone(), format!("subMemberId={SUB}&limit=5"));
    let reply = Sent::get(&world, &master, "/v5/user/sub-apikeys", &query).envelope(&mut world);
    let granted: &[(&str, &[&str])] = &[
        ("ContractTrade", &["Order", "Position"]),
        ("Derivatives", &["DerivativesTrade"]),
    ];
    let expected = json!({
        "result": [{
            "id": created.id.to_string(), "ips": ["*"], "apiKey": created.credential.key.as_str(),
            "note": "UTA", "flag": "hmac", "status": 3, "type": 1,
            "expiredAt": "2024-02-12T22:13:21Z", "createdAt": "2023-11-14T22:13:21Z", "deadlineDay": 90,
            "permissions": grants(granted), "secret": "******", "readOnly": false,
        }],
        "nextPageCursor": "",
    });
    assert_eq!(reply["result"], expected);
}

#[test]
fn an_edited_key_is_shown_without_its_secret() {
    let mut world = World::new();
    let created = world.created("rot-1");
    let body = format!(
        r#"{{"apikey":"{}","ips":"203.0.113.7","permissions":{{"Earn":["Earn"]}}}}"#,
        created.credential.key
    );
    let master = world.master.clone();
    let reply = Sent::post(&world, &master, "/v5/user/update-sub-api", &body).envelope(&mut world);
    let expected = json!({
        "id": created.id.to_string(), "note": "rot-1", "apiKey": created.credential.key.as_str(),
        "readOnly": 0, "secret": "", "permissions": grants(&[("Earn", &["Earn"])]), "ips": ["203.0.113.7"],
    });
    assert_eq!(reply["result"], expected);
}

#[test]
fn a_refusal_is_http_200_with_a_code_and_an_empty_result() {
    let mut world = World::new();
    let reader = world.by_hand(PARENT, true, &[("Wallet", &["AccountTransfer"])]);
    let reply = Sent::post(&world, &reader, "/v5/user/create-sub-api", CREATE).envelope(&mut world);
    let words = "Permission denied, please check your API key permissions.";
    let expected = json!({
        "retCode": 10_005, "retMsg": words, "result": {}, "retExtInfo": {}, "time": 1_700_000_000_000_i64,
    });
    assert_eq!(reply, expected);
}

#[test]
fn a_body_is_signed_byte_for_byte() {
    let mut world = World::new();
    let master = world.master.clone();
    let sent = Sent::post(&world, &master, "/v5/user/create-sub-api", CREATE);
    let spaced = Sent {
        body: CREATE.replace(':', ": "),
        ..sent
    };
    let reply = spaced.envelope(&mut world);
    assert_eq!(reply["retCode"], 10_004);
    assert!(
        reply["retMsg"]
            .as_str()
            .is_some_and(|words| words.contains(&spaced.body))
    );
}

#[test]
fn wrong_types_in_a_body_are_parameter_errors() {
    let mut world = World::new();
    let master = world.master.clone();
    for (from, to) in [
        ("53888000", "\"53888000\""),
        (r#""readOnly":0"#, r#""readOnly":false"#),
        (r#""readOnly":0"#, r#""readOnly":2"#),
        (r#""readOnly":0,"#, ""),
        (r#""203.0.113.7""#, r#"["203.0.113.7"]"#),
        (r#"["SpotTrade"]"#, r#""SpotTrade""#),
        ("}}", "}"),
    ] {
        let body = CREATE.replace(from, to);
        assert_ne!(body, CREATE);
        let reply = Sent::post(&world, &master, "/v5/user/create-sub-api", &body).envelope(&mut world);
        assert_eq!(reply["retCode"], 10_001, "{body}");
    }
    assert_eq!(world.model.keys().len(), 1);
}

#[test]
fn naming_a_master_keys_addresses_is_refused_in_any_form() {
    let mut world = World::new();
    let master = world.master.clone();
    for body in [r#"{"ips":"*"}"#, r#"{"ips":["*"]}"#] {
        let reply = Sent::post(&world, &master, "/v5/user/update-api", body).envelope(&mut world);
        assert_eq!(reply["retCode"], 10_001);
    }
    let reply =
        Sent::post(&world, &master, "/v5/user/update-api", r#"{"readOnly":null}"#).envelope(&mut world);
    assert_eq!(
        (&reply["retCode"], &reply["result"]["ips"]),
        (&json!(0), &json!(["*"]))
    );
}

#[test]
fn a_key_is_deleted_with_an_empty_body_or_an_empty_object() {
    for body in ["", "{}"] {
        let mut world = World::new();
        let sub = world.by_hand(SUB, false, &[("Wallet", &["AccountTransfer"])]);
        let reply = Sent::post(&world, &sub, "/v5/user/delete-sub-api", body).envelope(&mut world);
        assert_eq!((&reply["retCode"], &reply["result"]), (&json!(0), &json!({})));
        let master = world.master.clone();
        let reply = Sent::post(&world, &master, "/v5/user/delete-api", body).envelope(&mut world);
        assert_eq!(reply["retCode"], 0);
        assert_eq!(
            world
                .model
                .keys()
                .iter()
                .filter(|key| key.alive(world.now))
                .count(),
            0
        );
    }
}

#[test]
fn a_listing_wants_a_number_for_the_account_and_the_page() {
    let mut world = World::new();
    let master = world.master.clone();
    for query in ["", "subMemberId=me", "subMemberId=53888000&limit=many"] {
        let reply = Sent::get(&world, &master, "/v5/user/sub-apikeys", query).envelope(&mut world);
        assert_eq!(reply["retCode"], 10_001, "{query}");
    }
}

#[test]
fn an_unsigned_request_is_http_401_and_an_unknown_path_404() {
    let mut world = World::new();
    let master = world.master.clone();
    for missing in ["X-BAPI-API-KEY", "X-BAPI-TIMESTAMP", "X-BAPI-SIGN"] {
        let mut sent = Sent::get(&world, &master, "/v5/user/query-api", "");
        sent.headers.remove(missing);
        assert_eq!(
            sent.answer(&mut world).status,
            StatusCode::UNAUTHORIZED,
            "{missing}"
        );
    }
    for (method, path) in [
        ("GET", "/v5/user/create-sub-api"),
        ("POST", "/v5/user/create-sub-member"),
    ] {
        let sent = Sent {
            method,
            ..Sent::get(&world, &master, path, "")
        };
        assert_eq!(sent.answer(&mut world).status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn anybody_may_ask_for_the_time() {
    let mut world = World::new();
    let (path, query, body, headers) = ("/v5/market/time", String::new(), String::new(), HeaderMap::new());
    let reply = Sent {
        method: "GET",
        path,
        query,
        body,
        headers,
    }
    .envelope(&mut world);
    let result = json!({"timeSecond": "1700000000", "timeNano": "1700000000000000000"});
    assert_eq!((&reply["retMsg"], &reply["result"]), (&json!("OK"), &result));
}
