//! What a request says, parameter by parameter. Each is text; names are as OKX's documentation spells them.

use serde::Deserialize;
use serde_json::Value;

use super::codes::{CONTENT_TYPE, MISSING, NO_BODY, NO_JSON, WITHDRAWS, parameter};
use super::profile::{PERM, READ, WITHDRAW};
use crate::venue::{
    Arrived, Changes, Endpoint, IssueRequest, KeyId, ListRequest, Model, Passphrase, Refusal, Requested,
    Target, Uid,
};

/// No account has this number: a name that none has stands for it.
const NOBODY: Uid = 0;

/// What a call asks for, with the name of the sub-account that it is about.
pub(super) enum Asked {
    Inspect,
    /// All keys, or this one alone.
    List(ListRequest, Option<String>),
    Issue(String, IssueRequest),
    Edit(String, Target, Changes),
    Remove(String, Target),
}

impl Asked {
    pub(super) fn of(endpoint: Endpoint, arrived: &Arrived<'_>, model: &Model) -> Result<Self, Refusal> {
        if endpoint == Endpoint::Inspect {
            return Ok(Self::Inspect);
        }
        let parameters = if endpoint == Endpoint::List {
            Parameters::of_query(arrived.query)
        } else {
            Parameters::of_body(arrived)?
        };
        let name = needed(parameters.sub_acct.as_deref(), "subAcct")?.to_owned();
        let account = model.account_named(&name).unwrap_or(NOBODY);
        Ok(match endpoint {
            Endpoint::List => Self::List(
                ListRequest {
                    account,
                    ..ListRequest::default()
                },
                parameters.api_key.filter(|key| !key.is_empty()),
            ),
            Endpoint::Issue => Self::Issue(name, parameters.issue(account)?),
            Endpoint::Edit => Self::Edit(name, parameters.target(account)?, parameters.changes()?),
            _ => Self::Remove(name, parameters.target(account)?),
        })
    }
}

/// The parameters of every endpoint.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    sub_acct: Option<String>,
    api_key: Option<String>,
    label: Option<String>,
    passphrase: Option<String>,
    perm: Option<String>,
    ip: Option<String>,
}

impl Parameters {
    fn of_body(arrived: &Arrived<'_>) -> Result<Self, Refusal> {
        let content_type = arrived.header("content-type").unwrap_or_default();
        if !content_type.starts_with("application/json") {
            return Err(parameter(CONTENT_TYPE, "the body is not said to be JSON"));
        }
        if arrived.body.is_empty() {
            return Err(parameter(NO_BODY, "there is no body"));
        }
        let body: Value =
            serde_json::from_slice(arrived.body).map_err(|error| parameter(NO_JSON, error.to_string()))?;
        Self::deserialize(body).map_err(|error| Refusal::parameter(error.to_string()))
    }

    /// None of the values of a query needs percent-encoding.
    fn of_query(query: &str) -> Self {
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_owned())
        };
        Self {
            sub_acct: value("subAcct"),
            api_key: value("apiKey"),
            ..Self::default()
        }
    }

    fn issue(&self, account: Uid) -> Result<IssueRequest, Refusal> {
        let label = needed(self.label.as_deref(), "label")?;
        let passphrase = needed(self.passphrase.as_deref(), "passphrase")?;
        // Unverified: that a key for which nothing is asked may read.
        let perm = self.perm.as_deref().filter(|perm| !perm.is_empty());
        Ok(IssueRequest {
            account,
            note: checked_label(label)?,
            read_only: false,
            addresses: self.ip.as_deref().map(addresses).unwrap_or_default(),
            permissions: permissions(perm.unwrap_or(READ))?,
            passphrase: Some(Passphrase::from(passphrase)),
            pair: false,
        })
    }

    fn changes(&self) -> Result<Changes, Refusal> {
        Ok(Changes {
            note: self.label.as_deref().map(checked_label).transpose()?,
            read_only: None,
            addresses: self.ip.as_deref().map(addresses),
            permissions: self.perm.as_deref().map(permissions).transpose()?,
        })
    }

    fn target(&self, account: Uid) -> Result<Target, Refusal> {
        let key = needed(self.api_key.as_deref(), "apiKey")?;
        Ok(Target {
            account: Some(account),
            key: Some(KeyId::from(key)),
            passphrase: None,
        })
    }
}

fn needed<'a>(value: Option<&'a str>, name: &str) -> Result<&'a str, Refusal> {
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| parameter(MISSING, format!("{name} is missing")))
}

fn checked_label(label: &str) -> Result<String, Refusal> {
    if label.is_empty() || !label.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Refusal::parameter("a label has letters and digits alone"));
    }
    Ok(label.to_owned())
}

/// A list with commas.
fn permissions(list: &str) -> Result<Requested, Refusal> {
    let values: Vec<String> = list.split(',').map(str::to_owned).collect();
    if values.iter().any(|value| value == WITHDRAW) {
        return Err(parameter(WITHDRAWS, "a sub-account's key does not withdraw"));
    }
    Ok(Requested::from([(PERM.to_owned(), values)]))
}

/// A list with commas. Empty it means unbound.
fn addresses(list: &str) -> Vec<String> {
    if list.is_empty() {
        return Vec::new();
    }
    list.split(',').map(str::to_owned).collect()
}
