//! Whether a rotation would succeed now: createSecret's own reading and asking, and what a person would want
//! to know before. Changes nothing, anywhere, and looks at secrets too that are not attached yet.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::bounds::after;
use crate::error::{Error, ErrorType};
use crate::label::Label;
use crate::marker::Marker;
use crate::name::{SecretId, unqualified};
use crate::operations::answer::{Answer, Code, Finding, Planned, RotationState, Row};
use crate::operations::commands::{attach, day, list_versions, put_right, quoted, serve, switch_on};
use crate::operations::faults::in_words;
use crate::operations::pass::{Pass, finding, told, with_retries};
use crate::operations::retire::grace::is_marked;
use crate::operations::schedule::{next_rotation, stuck_since};
use crate::operations::{Operation, OperationSettings};
use crate::ports::{Description, ErrorClass, KeyList, KeyState, ListedKey};
use crate::rotation::{Issuing, Rehearsal, rehearse, settled};
use crate::secret::{Addresses, SecretValue, Source};
use crate::session::{must_fit, unstamped_previous, was_current};

/// The venue's clock and ours may be so far apart; beyond, requests begin to be refused.
const CLOCKS: SignedDuration = SignedDuration::from_secs(2);
/// The KMS key that Secrets Manager uses where none is named: everybody who may write a value may use it.
const ACCOUNTS_OWN_KEY: &str = "alias/aws/secretsmanager";
/// The stamps that a rotation adds, and the label of the version that it builds.
const NEW_LABELS: usize = 3;

/// The calls of a rotation that issues a key, in order. Those of one line go out together.
const ISSUING: [&str; 13] = [
    "createSecret: DescribeSecret, ListSecretVersionIds, GetSecretValue of the new version, GetSecretValue \
     of AWSCURRENT",
    "createSecret: GetSecretValue of the master credential, the venue is asked about the current key",
    "createSecret: the venue lists the account's keys",
    "createSecret: the venue issues a key",
    "createSecret: PutSecretValue as AWSPENDING",
    "setSecret: DescribeSecret, GetSecretValue of the new version, GetSecretValue of AWSCURRENT",
    "setSecret: GetSecretValue of the master credential",
    "setSecret: the venue lists the account's keys",
    "testSecret: DescribeSecret, GetSecretValue of the new version",
    "testSecret: the venue is asked about the new key",
    "finishSecret: DescribeSecret, GetSecretValue of the new version; the venue is asked about the new key",
    "finishSecret: UpdateSecretVersionStage moves AWSCURRENT",
    "finishSecret: UpdateSecretVersionStage stamps the replaced version",
];
/// The same where a credential is copied that is there already.
const COPYING: [&str; 13] = [
    "createSecret: DescribeSecret, ListSecretVersionIds, GetSecretValue of the new version, GetSecretValue \
     of AWSCURRENT",
    "createSecret: GetSecretValue of the offered version",
    "createSecret: the venue is asked about the current key and the offered one",
    "createSecret: PutSecretValue as AWSPENDING",
    "setSecret: DescribeSecret, GetSecretValue of the new version, GetSecretValue of AWSCURRENT",
    "setSecret: GetSecretValue of the master credential, where one is named",
    "setSecret: the venue lists the account's keys, or is asked about the offered one",
    "testSecret: DescribeSecret, GetSecretValue of the new version",
    "testSecret: the venue is asked about the offered key",
    "finishSecret: DescribeSecret, GetSecretValue of the new version; the venue is asked about the offered \
     key",
    "finishSecret: UpdateSecretVersionStage moves AWSCURRENT",
    "finishSecret: UpdateSecretVersionStage stamps the replaced version",
    "finishSecret: UpdateSecretVersionStage takes the offer's label off",
];

pub(crate) async fn plan(pass: &Pass<'_>, secret: &SecretId) -> Answer {
    let session = pass.session(secret);
    let description = match with_retries(pass, || session.describe()).await {
        Ok(description) => description,
        Err(error) => {
            let say = told(&error);
            return pass.refusal(secret.as_str(), say, pass.after(&error, secret.as_str()));
        }
    };
    let mut planning = Planning::new(pass, &description);
    let rehearsed = rehearse(session, &pass.settings.egress, description.clone()).await;
    if let Some(account) = rehearsed.as_ref().ok().and_then(Rehearsal::account) {
        session.stands_for(account);
    }
    planning.rotation(&description).await;
    planning.encryption(&description);
    planning.clients();
    if pass.settings.egress.is_empty() {
        let say = "EGRESS_IPS is empty: whether the keys may be used from this function's address is seen \
                   only where a call is refused";
        planning.warning(
            say,
            "set EGRESS_IPS to the addresses that the functions' calls leave from",
        );
    }
    let mut planned = Planned {
        client_cache_seconds: Some(OperationSettings::LONGEST_CLIENT_CACHE.as_secs()),
        ..Planned::default()
    };
    match rehearsed {
        Ok(rehearsal) => planning.rehearsed(&description, &rehearsal, &mut planned),
        Err(error) => planning.error(&error),
    }
    let count = |code| {
        planning
            .findings
            .iter()
            .filter(|finding| finding.code == code)
            .count() as u64
    };
    let (blockers, warnings) = (count(Code::Blocker), count(Code::Warning));
    planned.would_succeed = blockers == 0;
    let row = Row {
        secret: planning.name.clone(),
        arn: description.arn.clone(),
        plan: Some(Box::new(planned)),
        ..Row::default()
    };
    let mut builder = pass.builder();
    for (what, count) in [("blockers", blockers), ("warnings", warnings)] {
        if count > 0 {
            builder.count(what, count);
        }
    }
    for finding in planning.findings {
        builder.find(finding);
    }
    builder.row(row);
    builder.answer(false)
}

/// What would keep a rotation from a key, with what to do about each: the reasons that a rehearsal has found.
pub(crate) fn blockers(
    pass: &Pass<'_>,
    description: &Description,
    rehearsed: Result<Rehearsal, Error>,
) -> Vec<Finding> {
    let mut planning = Planning::new(pass, description);
    match rehearsed {
        Ok(rehearsal) => planning.rehearsed(description, &rehearsal, &mut Planned::default()),
        Err(error) => planning.error(&error),
    }
    planning
        .findings
        .into_iter()
        .filter(|finding| finding.code == Code::Blocker)
        .collect()
}

struct Planning<'a> {
    pass: &'a Pass<'a>,
    name: String,
    findings: Vec<Finding>,
    /// How long the key that would be replaced would stay alive.
    grace: Duration,
}

impl<'a> Planning<'a> {
    fn new(pass: &'a Pass<'a>, description: &Description) -> Self {
        let name = description.name.as_str().to_owned();
        Self {
            pass,
            name,
            findings: Vec::new(),
            grace: pass.settings.grace,
        }
    }

    fn blocker(&mut self, say: impl Into<String>, what_to_do: impl Into<String>) {
        self.find(Code::Blocker, say, what_to_do);
    }

    fn warning(&mut self, say: impl Into<String>, what_to_do: impl Into<String>) {
        self.find(Code::Warning, say, what_to_do);
    }

    fn find(&mut self, code: Code, say: impl Into<String>, what_to_do: impl Into<String>) {
        self.findings.push(finding(code, &self.name, say, what_to_do));
    }

    /// What a step would end with.
    fn error(&mut self, error: &Error) {
        let what_to_do = match error.error_type {
            ErrorType::ValueInvalid
            | ErrorType::VenueUnsupported
            | ErrorType::AccountMismatch
            | ErrorType::CurrentUnusable => put_right(&self.name),
            ErrorType::RotatedTooOften => list_versions(&self.name),
            ErrorType::StoreUnavailable | ErrorType::VenueUnavailable => {
                self.pass.command(Operation::Plan, &self.name)
            }
            _ => format!(
                "put right what the message names; then: {}",
                self.pass.command(Operation::Plan, &self.name)
            ),
        };
        self.blocker(told(error), what_to_do);
    }

    // Secrets Manager.

    async fn rotation(&mut self, description: &Description) {
        let name = self.name.clone();
        if description.deleted {
            self.blocker(
                "the secret is scheduled for deletion",
                format!("aws secretsmanager restore-secret --secret-id {name}"),
            );
        }
        let ours = &self.pass.settings.rotation_function;
        let attach = attach(&self.pass.settings.rotation_function, &name);
        match &description.rotation_function {
            Some(function) if unqualified(function) != unqualified(ours) => {
                self.blocker(
                    format!("another function rotates this secret: {function}"),
                    attach,
                );
            }
            None => self.warning("no function rotates this secret yet", attach),
            // By its own rules: others would take the place of its schedule.
            Some(_) if !description.rotation_enabled => {
                self.warning("rotation is switched off", switch_on(&name));
            }
            Some(_) => {}
        }
        let pending = description.holder(&Label::pending());
        if let Some(pending) =
            pending.filter(|pending| description.holder(&Label::current()) != Some(*pending))
        {
            let abandon = self.pass.command(Operation::Abandon, &name);
            match self.stuck(description, pending).await {
                RotationState::Stuck => self.blocker(
                    format!(
                        "a rotation is stuck: version {pending} is AWSPENDING, and would be repeated \
                         instead of a new one"
                    ),
                    abandon,
                ),
                _ => self.blocker(
                    format!("a rotation is in flight: version {pending} is AWSPENDING"),
                    "wait until it is over",
                ),
            }
        }
        let stamps = NEW_LABELS + usize::from(unstamped_previous(description).is_some());
        if let Err(error) = must_fit(description, stamps) {
            self.error(&error);
        }
        for replica in description.replicas.iter().filter(|replica| !replica.in_sync) {
            let say = format!(
                "the replica in {} is not in sync: replaced keys stay alive until it is",
                replica.said()
            );
            self.warning(
                say,
                format!("aws secretsmanager describe-secret --secret-id {name}"),
            );
        }
    }

    /// Who may read a value may perhaps write none. What grants both to the functions' roles names one key.
    fn encryption(&mut self, description: &Description) {
        let Some(key) = description
            .kms_key
            .as_deref()
            .filter(|key| !key.ends_with(ACCOUNTS_OWN_KEY))
        else {
            return;
        };
        let granted = self.pass.settings.kms_key.as_deref();
        // Which key an alias stands for, DescribeKey alone tells, which the functions may not call.
        if key.starts_with("alias/") || key.contains(":alias/") {
            let say = format!(
                "the KMS key of the secret is named by its alias {key}: whether the functions' roles are \
                 granted it is not told here"
            );
            let compare = format!(
                "compare KmsKeyArn with: aws kms describe-key --key-id {} --query KeyMetadata.Arn --output \
                 text",
                quoted(key)
            );
            self.find(Code::KmsKeyUntold, say, compare);
            return;
        }
        let is_granted =
            |granted: &str| granted == key || granted.rsplit_once(":key/").is_some_and(|(_, id)| id == key);
        if granted.is_some_and(is_granted) {
            return;
        }
        let other = granted.map_or_else(|| "none".to_owned(), |granted| format!("{granted} alone"));
        let say = format!(
            "the KMS key {key} encrypts the secret, and the functions' roles are granted {other}: whether \
             the rotation function may encrypt with it is not known"
        );
        let what_to_do = format!(
            "deploy with KmsKeyArn set to what this prints: aws kms describe-key --key-id {} --query \
             KeyMetadata.Arn --output text",
            quoted(key)
        );
        self.warning(say, what_to_do);
    }

    /// Whoever has read the replaced key keeps it for as long as its cache does, and once more where one
    /// refresh fails.
    fn clients(&mut self) {
        let (grace, cache) = (self.pass.settings.grace, OperationSettings::LONGEST_CLIENT_CACHE);
        if grace < cache * 2 {
            let say = format!(
                "clients keep a value for up to {} s, and the grace is {} s: one that cannot refresh once \
                 is locked out",
                cache.as_secs(),
                grace.as_secs()
            );
            self.warning(
                say,
                "raise GRACE_HOURS in the settings of the operations function, or have clients refresh more \
                 often",
            );
        }
    }

    async fn stuck(&self, description: &Description, pending: &crate::label::VersionId) -> RotationState {
        let Ok(id) = SecretId::parse(&description.arn) else {
            return RotationState::InFlight;
        };
        match stuck_since(self.pass, &self.pass.session(&id), pending).await {
            Ok(Some(_)) => RotationState::Stuck,
            Ok(None) | Err(_) => RotationState::InFlight,
        }
    }

    // The venue.

    fn rehearsed(&mut self, description: &Description, rehearsal: &Rehearsal, planned: &mut Planned) {
        let Rehearsal {
            value,
            venue,
            source,
            current,
            issuing,
            wanted,
        } = rehearsal;
        let list = issuing
            .as_ref()
            .and_then(|issuing| issuing.list.as_ref()?.as_ref().ok());
        let issued = is_marked(description, &value.credential.key_id, list);
        self.grace = self.pass.settings.grace_of(issued);
        planned.grace_hours = Some(self.grace.as_secs() / 3600);
        if !issued {
            let say = format!(
                "the current key was made by hand: once replaced it stays alive for {} hours, since it may \
                 sit in a file somewhere",
                self.grace.as_secs() / 3600
            );
            self.find(Code::AdoptionGrace, say, "look for the places that use it");
        }
        planned.source = Some(match source {
            Source::Issued => "issued",
            Source::Candidate => "candidate",
            Source::Rollback => "rollback",
        });
        planned.calls = if *source == Source::Issued {
            ISSUING.to_vec()
        } else {
            COPYING.to_vec()
        };
        let listed = list.and_then(|list| {
            list.keys
                .iter()
                .find(|listed| listed.key_id == value.credential.key_id)
        });
        let kind = current
            .as_ref()
            .ok()
            .and_then(|state| state.kind)
            .or(listed.and_then(|listed| listed.kind));
        if let Some(kind) = kind {
            self.warning(
                format!("the current key is {kind}"),
                "see that its successor, which is the account's own HMAC key, serves its bots",
            );
        }
        match current {
            Ok(state) => self.current(description, value.created_at, state),
            Err(error) if error.class == ErrorClass::Denied => {
                self.warning(
                    format!("the current key may not be used from this function's address: {error}"),
                    "its successor will be; add the address to the key where you can",
                );
            }
            Err(error) => self.warning(
                format!(
                    "the current key does not answer, so its successor is built from the value alone: \
                     {error}"
                ),
                "check `subaccount` and `policy` in the value",
            ),
        }
        if let Some(issuing) = issuing {
            if matches!(issuing.by, Some((_, false))) && wanted.is_ok() {
                let say = "the master's value does not say whom it serves: this secret gets no more than \
                           its own key proves, and a dead key has no successor";
                let command = self.serving(issuing).unwrap_or_default();
                self.find(Code::MasterUnscoped, say, command);
            }
            self.issuing(description, value, venue.as_ref(), issuing);
        }
        match wanted {
            Ok((account, grant)) => {
                planned.account = Some(account.to_string());
                planned.permissions = grant.permissions.iter().map(ToString::to_string).collect();
                planned.addresses = Some(grant.addresses.to_string());
                if grant.addresses == Addresses::Any {
                    self.unbound(description, venue.facts().unbound_life);
                }
            }
            Err(error) if error.error_type == ErrorType::ScopeRefused => {
                let command = issuing.as_ref().and_then(|issuing| self.serving(issuing));
                self.blocker(told(error), command.unwrap_or_else(|| put_right(&self.name)));
            }
            // Said of the master or of the list already.
            Err(error) if issuing.as_ref().is_some_and(is_said) => {}
            Err(error) => self.error(error),
        }
    }

    /// The command that has the master's value say that it serves this secret as it is asked for.
    fn serving(&self, issuing: &Issuing) -> Option<String> {
        let ((master, _), (account, grant)) = (issuing.by.as_ref()?, issuing.asked.as_ref()?);
        Some(serve(master, &self.name, Some(account), Some(grant)))
    }

    fn current(&mut self, description: &Description, made: Option<Timestamp>, state: &KeyState) {
        let dropped = state.powers.not_granted();
        if !dropped.is_empty() {
            let say = format!(
                "the current key may do what its successor will not: {}",
                dropped.join(", ")
            );
            self.warning(say, "see that no bot needs it");
        }
        if let (Addresses::Only(held), missing) = (&state.addresses, &self.pass.settings.egress) {
            let missing: Vec<&str> = missing
                .iter()
                .filter(|own| !held.contains(own))
                .map(crate::secret::Address::as_str)
                .collect();
            if !missing.is_empty() {
                let say = format!(
                    "the current key is not bound to this function's {}",
                    missing.join(", ")
                );
                self.warning(
                    say,
                    "its successor will be; where calls leave from one of these, this key is refused",
                );
            }
        }
        if let (Some(expires), Some(next)) = (
            state.expires_at,
            next_rotation(description, made, self.pass.now()),
        ) && expires < after(next, self.grace)
        {
            let say = format!(
                "the current key expires on {}, before the rotation that ends by {} and its grace",
                day(expires),
                day(next)
            );
            self.warning(say, "rotate now, or more often");
        }
    }

    /// A key without addresses dies by itself, perhaps before it is rotated.
    fn unbound(&mut self, description: &Description, life: Option<Duration>) {
        let (Some(life), Some(schedule)) = (life, &description.schedule) else {
            return;
        };
        let Some(interval) = schedule.interval() else {
            return;
        };
        let window = schedule.window();
        if interval + window + self.pass.settings.grace >= life {
            let say = format!(
                "a key without addresses lives {} days, and one is needed for {} days, a window of {} hours \
                 and the grace",
                life.as_secs() / 86_400,
                interval.as_secs() / 86_400,
                window.as_secs() / 3600
            );
            self.warning(
                say,
                "bind keys to addresses in policy.ip_allowlist, or rotate more often",
            );
        }
    }

    fn issuing(
        &mut self,
        description: &Description,
        value: &SecretValue,
        venue: &dyn crate::ports::Venue,
        issuing: &Issuing,
    ) {
        match &issuing.master {
            Ok(master) => self.master(venue, master),
            Err(error) => self.error(error),
        }
        match &issuing.list {
            Some(Ok(list)) => self.list(description, value, venue, list),
            // A master that is not accepted lists nothing either.
            Some(Err(error))
                if issuing
                    .master
                    .as_ref()
                    .is_err_and(|said| said.error_type == error.error_type) => {}
            Some(Err(error)) => self.error(error),
            None => {}
        }
    }

    fn master(&mut self, venue: &dyn crate::ports::Venue, master: &KeyState) {
        if let Some(kind) = master.kind {
            self.warning(
                format!("the master credential is {kind}"),
                "make one that is the account's own HMAC key",
            );
        }
        if let Err(lacks) = venue.may_issue(master) {
            self.blocker(
                format!("the master credential cannot issue keys: {lacks}"),
                "make a better one, and store it in its secret",
            );
        }
        match &master.addresses {
            Addresses::Any => self.warning(
                "the master credential may be used from anywhere",
                "bind it to this function's address: who has it can issue keys",
            ),
            Addresses::Only(held) => {
                let missing: Vec<&str> = self
                    .pass
                    .settings
                    .egress
                    .iter()
                    .filter(|own| !held.contains(own))
                    .map(crate::secret::Address::as_str)
                    .collect();
                if !missing.is_empty() {
                    self.blocker(
                        format!(
                            "the master credential is not bound to this function's {}",
                            missing.join(", ")
                        ),
                        "add it to the master key's addresses at the venue",
                    );
                }
            }
        }
        if in_words(&master.powers)
            .iter()
            .any(|power| power.to_lowercase().contains("withdraw"))
        {
            self.warning(
                "the master credential may withdraw, which issuing keys does not need",
                "make one that may not",
            );
        }
        if let Some(expires) = master.expires_at {
            self.warning(
                format!("the master credential expires on {}", day(expires)),
                "replace it before, or bind it to addresses",
            );
        }
    }

    fn list(
        &mut self,
        description: &Description,
        value: &SecretValue,
        venue: &dyn crate::ports::Venue,
        list: &KeyList,
    ) {
        if let Some(most) = venue.facts().most_keys {
            let delete = "delete keys at the venue that nothing uses";
            match most.saturating_sub(list.keys.len()) {
                // Where the venue refuses, createSecret revokes what was issued for this secret and never
                // stored, and asks again.
                0 if may_make_room(description, value, list) => {
                    self.warning(
                        format!(
                            "the account has {} keys, and room only where one is revoked first",
                            list.keys.len()
                        ),
                        delete,
                    );
                }
                0 => self.blocker(
                    format!(
                        "the account has {} keys, and as far as anybody says no room for another",
                        list.keys.len()
                    ),
                    delete,
                ),
                1 => self.warning(
                    format!("the account has {} keys, and room for one more", list.keys.len()),
                    "delete what nothing uses",
                ),
                _ => {}
            }
        }
        let apart = self.pass.now().duration_since(list.as_of).abs();
        if apart > CLOCKS {
            self.warning(
                format!(
                    "this function's clock and the venue's are {:.1} s apart",
                    apart.as_secs_f64()
                ),
                "nothing: requests are signed by the venue's clock; find out which of the two is off",
            );
        }
    }
}

/// Whether a key may have been issued for this secret and never stored.
fn may_make_room(description: &Description, value: &SecretValue, list: &KeyList) -> bool {
    let of_a_version = |key: &ListedKey| {
        let marks = |version| Marker::new(&description.arn, version, 0);
        let of = |version| {
            key.marker
                .as_ref()
                .is_some_and(|marker| marks(version).same_token(marker))
        };
        // One that was given up may hold another key, or none.
        description
            .versions
            .keys()
            .filter(|version| was_current(description, version))
            .any(of)
    };
    let others = list
        .keys
        .iter()
        .filter(|key| key.key_id != value.credential.key_id);
    let mut ours = others.filter(|key| is_marked(description, &key.key_id, Some(list)));
    ours.any(|key| settled(key, list) && !of_a_version(key))
}

/// Whether there is no key since the master cannot be read, or lists no keys.
fn is_said(issuing: &Issuing) -> bool {
    issuing.by.is_none() || matches!(issuing.list, Some(Err(_)))
}
