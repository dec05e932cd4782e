//! Maintain and audit over many secrets: whether time, CPU and calls grow with their number and no faster,
//! and whether memory does not grow.

use std::error::Error;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::peer::Peers;
use super::process::{Process, milliseconds, world};
use super::series::figure;
use super::table::table;
use crate::function::{LAMBDA_ARN, OPERATIONS_ARN};
use crate::local::Local;
use crate::secrets_manager::{ListSecrets, Operation, RotationSeed, SecretValue, Seed};
use crate::venue::{Credential, Environment as Site, Ips, Permissions, Settings, Uid};

/// The function paces its calls to each site and for each master: over many of both the pace is not all that
/// is measured.
const SITES: [&str; 10] = [
    "mainnet", "testnet", "nl", "tr", "kz", "ge", "ae", "eu", "id", "jp",
];
const MASTERS_PER_SITE: u32 = 5;
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FIRST_UID: Uid = 60_000_000;
/// The longest that a Lambda may run.
const LONGEST: SignedDuration = SignedDuration::from_secs(900);

/// A pass over a fleet in a fresh process: as many invocations as it takes.
struct Pass {
    secrets: u32,
    answers: usize,
    took: f64,
    cpu: f64,
    memory: f64,
    store_calls: usize,
    venue_calls: usize,
    /// How long the stand-in took to list secrets.
    listing: f64,
}

pub(super) async fn measure(peers: &Peers, sizes: &[u32]) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    for (operation, title) in [("maintain", "Maintain"), ("audit", "Audit")] {
        let mut passes = Vec::new();
        for secrets in sizes {
            passes.push(pass(peers, operation, *secrets).await?);
        }
        // A String takes all that is written to it.
        let _ = writeln!(text, "{}", told(title, operation, &passes));
    }
    Ok(text)
}

fn told(title: &str, operation: &str, passes: &[Pass]) -> String {
    let rows: Vec<[String; 9]> = passes.iter().map(Pass::row).collect();
    let say = format!(
        "One pass of `{operation}` by a fresh process over quiet secrets, spread over {} sites with \
         {MASTERS_PER_SITE} master credentials each. The function sends no site more than a call every 20 \
         ms: secrets of one site take 40 ms each, whatever else.",
        SITES.len()
    );
    let head = [
        "secrets",
        "answers",
        "s",
        "the stand-in listing, s",
        "CPU, s",
        "CPU a secret, ms",
        "peak memory, MiB",
        "calls to Secrets Manager",
        "calls to Bybit",
    ];
    let mut text = table(title, &say, &head, &rows);
    if let [few, .., many] = passes {
        let more = f64::from(many.secrets) / f64::from(few.secrets);
        let growth = [
            (many.took - many.listing) / (few.took - few.listing),
            many.cpu / few.cpu,
            many.memory / few.memory,
        ]
        .map(figure);
        let [took, cpu, memory] = growth;
        // A String takes all that is written to it.
        let _ = writeln!(
            text,
            "\n{} times the secrets: {took} times the time without the stand-in's listing, {cpu} times the \
             CPU, {memory} times the memory.",
            figure(more)
        );
    }
    text
}

impl Pass {
    fn row(&self) -> [String; 9] {
        [
            self.secrets.to_string(),
            self.answers.to_string(),
            figure(self.took / 1000.0),
            figure(self.listing / 1000.0),
            figure(self.cpu / 1000.0),
            figure(self.cpu / f64::from(self.secrets)),
            figure(self.memory),
            self.store_calls.to_string(),
            self.venue_calls.to_string(),
        ]
    }
}

async fn pass(peers: &Peers, operation: &str, secrets: u32) -> Result<Pass, Box<dyn Error>> {
    let local = world().await?;
    seed(&local, secrets)?;
    let peer = &peers.function;
    let environment = peer.seeing(local.environment()).operations();
    let process = Process::start(peer, &environment).await?;
    let began = Instant::now();
    let (mut answers, mut seen, mut event) = (0, 0, json!({"operation": operation}));
    loop {
        let payload = event.to_string().into_bytes();
        let answer = process
            .function()
            .invoke_raw(payload, Timestamp::now() + LONGEST, OPERATIONS_ARN)
            .await?;
        answers += 1;
        seen += answer["counts"]["secrets"].as_u64().unwrap_or(0);
        if answer["outcome"] == "failed" || is_behind(&answer) {
            let findings = answer["findings"]
                .as_array()
                .into_iter()
                .flatten()
                .take(3)
                .map(Value::to_string);
            return Err(format!("{operation}: {}", findings.collect::<Vec<_>>().join(" ")).into());
        }
        let Some(next) = answer["next"].as_str() else {
            break;
        };
        event["after"] = next.into();
    }
    let took = milliseconds(began.elapsed());
    let memory = process.peak_memory();
    let cpu = process.end().await;
    // The sandbox's own secret is among the managed ones.
    if seen < u64::from(secrets) {
        return Err(format!("{operation}: {seen} of {secrets} were seen").into());
    }
    let calls = local.secrets_manager.lock().model.take_calls();
    let store_calls = calls.len();
    let venue_calls = local.venue.lock().model.take_calls().len();
    let listing = listing(
        &local,
        calls
            .iter()
            .filter(|call| call.operation == Operation::ListSecrets)
            .count(),
    );
    Ok(Pass {
        secrets,
        answers,
        took,
        cpu,
        memory,
        store_calls,
        venue_calls,
        listing,
    })
}

/// Whether an answer says that something could not be done or looked at.
fn is_behind(answer: &Value) -> bool {
    let codes = answer["findings"].as_array().into_iter().flatten();
    codes
        .filter_map(|finding| finding["code"].as_str())
        .any(|code| ["NOT_DONE", "UNFINISHED"].contains(&code))
}

/// What the stand-in takes for so many pages of ListSecrets, in milliseconds: it sorts all secrets for each.
fn listing(local: &Local, pages: usize) -> f64 {
    let mut state = local.secrets_manager.lock();
    let now = state.clock.now();
    let began = Instant::now();
    for _ in 0..pages {
        let request = ListSecrets {
            max_results: Some(100),
            ..ListSecrets::default()
        };
        // What is on the page does not matter here.
        let _ = state.model.list_secrets(&request, now);
    }
    milliseconds(began.elapsed())
}

/// Secrets with a hand-made key each, on an account of its own.
fn seed(local: &Local, secrets: u32) -> Result<(), Box<dyn Error>> {
    let then = local.clock.now() - SignedDuration::from_hours(30 * 24);
    let mut parents = Vec::new();
    for (number, site) in (0_u64..).zip(SITES) {
        for master in 0..u64::from(MASTERS_PER_SITE) {
            parents.push(parent(local, FIRST_UID + number * 100 + master, site, then)?);
        }
    }
    for (number, (uid, site, master_arn)) in (0..secrets).zip(parents.iter().cycle()) {
        let account = FIRST_UID + 1_000_000 + Uid::from(number);
        let key = {
            let mut venue = local.venue.lock();
            venue.model.add_sub_account(*uid, account)?;
            let permissions = Permissions::of(&[
                ("ContractTrade", &["Order", "Position"]),
                ("Spot", &["SpotTrade"]),
            ]);
            let settings = Settings {
                note: "made by hand".into(),
                read_only: false,
                ips: Ips::only([LOOPBACK]),
                permissions,
            };
            venue.model.create_key_by_hand(account, settings, then)?
        };
        let mut value = document(site, &key);
        value["subaccount"] = account.to_string().into();
        value["masterarn"] = master_arn.as_str().into();
        let rotation = RotationSeed {
            lambda_arn: Some(LAMBDA_ARN.into()),
            rules: None,
        };
        put(
            local,
            format!("prod/bybit/bot-{number:05}"),
            &value,
            Some(rotation),
            then,
        )?;
    }
    Ok(())
}

/// A parent account with its master credential: its number, its site, and the credential's ARN.
fn parent(
    local: &Local,
    uid: Uid,
    site: &'static str,
    then: Timestamp,
) -> Result<(Uid, &'static str, String), Box<dyn Error>> {
    let master = {
        let mut venue = local.venue.lock();
        // One stand-in answers for all sites.
        venue.model.add_parent_account(uid, Site::Mainnet);
        venue.model.add_master_key(uid, Ips::only([LOOPBACK]), then)?
    };
    let arn = put(
        local,
        format!("masters/bybit/{site}-{uid}"),
        &document(site, &master),
        None,
        then,
    )?;
    Ok((uid, site, arn))
}

fn document(site: &str, key: &Credential) -> Value {
    json!({
        "exchange": "bybit", "environment": site,
        "api_key": key.key.as_str(), "api_secret": key.secret.expose(),
    })
}

fn put(
    local: &Local,
    name: String,
    value: &Value,
    rotation: Option<RotationSeed>,
    then: Timestamp,
) -> Result<String, crate::secrets_manager::Error> {
    let value = Some(SecretValue::from_text(value.to_string()));
    let seed = Seed {
        name,
        value,
        rotation,
        ..Seed::default()
    };
    local.secrets_manager.lock().model.seed(seed, then)
}
