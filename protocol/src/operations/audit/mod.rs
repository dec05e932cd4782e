//! The audit: a row a secret, and what is not as it should be. Changes nothing.

mod account;
mod accounts_before;
mod beside;
mod current;
mod master;
mod rotation;
pub(crate) mod secret;

use futures_util::StreamExt;
use futures_util::stream::iter;

use crate::error::{Error, ErrorType};
use crate::label::VersionId;
use crate::name::SecretId;
use crate::operations::Form;
use crate::operations::answer::builder::AnswerBuilder;
use crate::operations::answer::fingerprint::Fingerprint;
use crate::operations::answer::table::table;
use crate::operations::answer::{Answer, Code, Row};
use crate::operations::audit::secret::look;
use crate::operations::commands::{attach, describe_secret};
use crate::operations::maintain::add;
use crate::operations::maintain::visit::VisitReport;
use crate::operations::pass::holders::Holders;
use crate::operations::pass::secret_pages::{SecretPages, Shard, is_named_for_a_venue};
use crate::operations::pass::{Pass, event, finding, told, with_retries};
use crate::ports::{Description, Which};
use crate::session::{Master, master_at, master_id};
use crate::task::Operation;

/// How many secrets are looked at once.
const AT_ONCE: usize = 8;

/// What is asked for.
pub(crate) struct Audit<'a> {
    pub(crate) secret: Option<&'a SecretId>,
    pub(crate) fingerprint: Option<&'a Fingerprint>,
    pub(crate) form: Form,
}

/// What came of one secret.
enum Looked {
    /// It was not what is asked for.
    Passed,
    /// There was no time.
    Left,
    /// A row.
    Row(Box<VisitReport>),
}

impl Audit<'_> {
    pub(crate) async fn of(&self, pass: &Pass<'_>, shard: Shard, after: Option<String>) -> Answer {
        let mut builder = pass.builder();
        if self.form == Form::Findings {
            builder.leave_out_rows();
        }
        let from = after.clone().filter(|after| !after.is_empty());
        let mut walk = SecretPages::of_every_secret(shard, after);
        let done = match self.secret {
            Some(secret) => self.one(pass, secret, &mut builder).await.map(|()| None),
            None => self.all(pass, &mut walk, &mut builder).await,
        };
        let is_whole = done.is_ok();
        let next = done.unwrap_or_else(|error| {
            let say = told(&error);
            let what_to_do = match (&from, error.error_type) {
                (Some(_), ErrorType::StoreRefused) => {
                    "begin again without `after`: it is no place in the list any more"
                }
                _ => "ask again, unless the message says otherwise",
            };
            builder.fail();
            builder.find(finding(Code::NotDone, "", say, what_to_do));
            None
        });
        let missing = builder.counted("matches") == 0 && is_whole && self.secret.is_none() && from.is_none();
        if let (Some(fingerprint), None, true) =
            (self.fingerprint, &next, missing && builder.counted("unread") == 0)
        {
            let say =
                format!("no labelled version of a secret that is rotated here names the key {fingerprint}");
            let what_to_do = "an audit without `match` shows the keys on the accounts that no secret names, \
                              as FOREIGN_KEYS";
            builder.find(finding(Code::KeyNotFound, "", say, what_to_do));
        }
        if let Some(next) = &next {
            let what_to_do = self.on_from(pass, shard, next);
            builder.find(finding(
                Code::More,
                "",
                "there are more secrets than this answer holds",
                what_to_do,
            ));
        }
        let mut answer = builder.answer(false);
        answer.next = next;
        if self.form == Form::Csv {
            answer.csv = Some(table(&std::mem::take(&mut answer.secrets), &answer.findings));
        }
        answer
    }

    /// The command that asks for the rest.
    fn on_from(&self, pass: &Pass<'_>, shard: Shard, next: &str) -> String {
        let mut asked = event(Operation::Audit, &[("after", next)]);
        if shard != Shard::ALL {
            asked.insert("shard".to_owned(), shard.to_string().into());
        }
        if let Some(fingerprint) = self.fingerprint {
            asked.insert(
                "match".to_owned(),
                serde_json::json!({"fingerprint": fingerprint.to_string()}),
            );
        }
        let form = match self.form {
            Form::Json => None,
            Form::Csv => Some("csv"),
            Form::Findings => Some("findings"),
        };
        if let Some(form) = form {
            asked.insert("format".to_owned(), form.into());
        }
        pass.command_of(Operation::Audit, asked)
    }

    async fn one(
        &self,
        pass: &Pass<'_>,
        secret: &SecretId,
        builder: &mut AnswerBuilder<'_>,
    ) -> Result<(), Error> {
        if !pass.has_time() {
            return Err(Error::new(
                ErrorType::DeadlineNear,
                "too little time is left to look at the secret",
            ));
        }
        let description = match with_retries(pass, || async { pass.session(secret).describe().await }).await {
            Ok(description) => description,
            Err(error) => {
                let say = told(&error);
                let what_to_do = pass.after(&error, secret.as_str());
                builder.find(finding(Code::Refused, secret.as_str(), say, what_to_do));
                return Ok(());
            }
        };
        if !pass.manages(&description) {
            let name = description.name.as_str();
            let (say, what_to_do) = match &description.rotation_function {
                Some(other) => (
                    format!("another function rotates this secret: {other}"),
                    describe_secret(name),
                ),
                // Whether it is one to be rotated here, or a master: that tells.
                None => (
                    "no function rotates this secret".to_owned(),
                    pass.command(Operation::Plan, name),
                ),
            };
            builder.find(finding(Code::Refused, name, say, what_to_do));
            return Ok(());
        }
        let name = description.name.as_str().to_owned();
        match (self.look(pass, description, None).await, self.fingerprint) {
            (Looked::Row(report), _) => add(builder, *report),
            (_, Some(fingerprint)) => {
                let say = format!("no labelled version of the secret names the key {fingerprint}");
                let what_to_do = "an audit with `match` and without `secret` looks at all secrets";
                builder.find(finding(Code::KeyNotFound, &name, say, what_to_do));
            }
            _ => {}
        }
        Ok(())
    }

    /// All secrets from a page on, until there is enough for one answer. Where the next one begins.
    async fn all(
        &self,
        pass: &Pass<'_>,
        walk: &mut SecretPages,
        builder: &mut AnswerBuilder<'_>,
    ) -> Result<Option<String>, Error> {
        let holders = match self.fingerprint {
            Some(_) => None,
            None => Some(pass.holders().await?),
        };
        let mut any = false;
        loop {
            let here = walk.next_page().map(str::to_owned);
            let Some(page) = walk.next(pass).await? else {
                return Ok(None);
            };
            let mut looked = iter(page)
                .map(|secret| self.in_time(pass, secret, holders.as_deref()))
                .buffer_unordered(AT_ONCE);
            let mut rows = Vec::new();
            while let Some(looked) = looked.next().await {
                match looked {
                    Looked::Passed => {}
                    Looked::Row(report) => rows.push(report),
                    // What was looked at on this page is left out with the rest of it: the next answer begins
                    // with it.
                    Looked::Left => {
                        if !any {
                            let say = "the time was up before one page of secrets was looked at";
                            builder.find(finding(
                                Code::Unfinished,
                                "",
                                say,
                                "raise the function's Timeout, then ask again",
                            ));
                        }
                        return Ok(Some(here.unwrap_or_default()));
                    }
                }
            }
            any = true;
            rows.sort_by(|a, b| a.row.secret.cmp(&b.row.secret));
            for report in rows {
                add(builder, *report);
            }
            let next = walk.next_page().map(str::to_owned);
            let is_full = builder.is_full() && self.form != Form::Findings;
            if next.is_some() && (is_full || !pass.has_time()) {
                return Ok(next);
            }
        }
    }

    async fn in_time(&self, pass: &Pass<'_>, secret: Description, holders: Option<&Holders>) -> Looked {
        if pass.has_time() {
            self.look(pass, secret, holders).await
        } else {
            Looked::Left
        }
    }

    async fn look(&self, pass: &Pass<'_>, secret: Description, holders: Option<&Holders>) -> Looked {
        if !pass.manages(&secret) {
            return unrotated(pass, &secret, holders);
        }
        let Some(fingerprint) = self.fingerprint else {
            return Looked::Row(Box::new(look(pass, &secret).await));
        };
        match found(pass, &secret, fingerprint).await {
            Ok((found, whole)) if found.is_empty() => {
                let unread = VisitReport {
                    counts: [("unread", 1)].into(),
                    ..VisitReport::default()
                };
                if whole {
                    Looked::Passed
                } else {
                    Looked::Row(Box::new(unread))
                }
            }
            Ok((found, _)) => {
                let mut report = look(pass, &secret).await;
                report.counts.insert("matches", found.len() as u64);
                for (say, what_to_do) in found {
                    report
                        .findings
                        .push(finding(Code::KeyFound, secret.name.as_str(), say, what_to_do));
                }
                Looked::Row(Box::new(report))
            }
            Err(error) => {
                let say = told(&error);
                let again = pass.command(Operation::Audit, secret.name.as_str());
                let found = finding(Code::NotDone, secret.name.as_str(), say, again);
                let row = Row {
                    secret: secret.name.as_str().to_owned(),
                    arn: secret.arn.clone(),
                    ..Row::default()
                };
                Looked::Row(Box::new(VisitReport {
                    row,
                    findings: vec![found],
                    counts: [("unread", 1)].into(),
                    ..VisitReport::default()
                }))
            }
        }
    }
}

/// A secret that nothing rotates, though it is named like those that are.
fn unrotated(pass: &Pass<'_>, secret: &Description, holders: Option<&Holders>) -> Looked {
    let known = is_named_for_a_venue(pass, secret);
    let is_master = holders.is_none_or(|holders| holders.are_children_of(secret));
    if secret.rotation_function.is_some() || secret.deleted || !known || is_master {
        return Looked::Passed;
    }
    let name = secret.name.as_str();
    let say = "the secret is named like one that holds an exchange's key, and nothing rotates it";
    let row = Row {
        secret: name.to_owned(),
        arn: secret.arn.clone(),
        ..Row::default()
    };
    let findings = vec![finding(
        Code::Unrotated,
        name,
        say,
        attach(&pass.settings.rotation_function, name),
    )];
    Looked::Row(Box::new(VisitReport {
        row,
        findings,
        counts: [("unrotated", 1)].into(),
        ..VisitReport::default()
    }))
}

/// Where the versions of a secret name a key: what was found, and what to do if the key is leaked; and
/// whether every one could be read.
async fn found(
    pass: &Pass<'_>,
    secret: &Description,
    fingerprint: &Fingerprint,
) -> Result<(Vec<(String, String)>, bool), Error> {
    let Ok(id) = SecretId::parse(&secret.arn) else {
        return Ok((Vec::new(), false));
    };
    let session = pass.session(&id);
    let description = with_retries(pass, || session.describe()).await?;
    let (mut found, mut whole) = (Vec::new(), true);
    for version in description.versions.keys() {
        let Some(stored) = with_retries(pass, || session.read(Which::Version(version))).await? else {
            continue;
        };
        let Ok(value) = stored.value() else {
            whole = false;
            continue;
        };
        if fingerprint.is_of(&value.credential.key_id) {
            let labels: Vec<String> = description.labels(version).map(ToString::to_string).collect();
            let say = format!(
                "{} is the key of version {version} ({})",
                value.credential.key_id,
                labels.join(", ")
            );
            found.push((say, leaked(pass, description.name.as_str(), Some(version))));
        }
        let key = crate::session::venue_of(pass.ports, &description, &value).ok();
        let master = match &key {
            Some(venue) => master_at(venue.as_ref(), &value),
            None => master_id(&value),
        };
        let Ok(master) = master else { continue };
        let known = match &key {
            Some(venue) => pass.master(venue.as_ref(), &value).await.ok(),
            None => None,
        };
        whole &= known.is_some();
        if let Some(Master { signer, .. }) = known
            && fingerprint.is_of(&signer.credential.key_id)
            && pass.is_news(format!("found {}", master.as_str()))
        {
            let say = format!(
                "{} is the master credential in {}",
                signer.credential.key_id,
                master.name().as_str()
            );
            found.push((say, leaked(pass, master.as_str(), None)));
        }
    }
    Ok((found, whole))
}

/// What to do where a key is leaked.
fn leaked(pass: &Pass<'_>, secret: &str, version: Option<&VersionId>) -> String {
    let mut fields = vec![
        ("secret", secret),
        ("reason", "<what happened>"),
        ("incident", "<number>"),
    ];
    if let Some(version) = version {
        fields.push(("version", version.as_str()));
    }
    format!(
        "if it is leaked: {}",
        pass.command_with(Operation::BreakGlass, &fields)
    )
}
