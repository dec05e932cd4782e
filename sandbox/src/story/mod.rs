//! `sandbox story`: a day in the life of a key, told while it happens, by the function's real binary in its
//! three roles. The clock of the stand-ins and of the binary is moved; whatever is told is checked, and what
//! is not so ends the story.

mod moved_clock;
mod stage;

use std::path::PathBuf;

use jiff::SignedDuration;
use serde_json::{Value, json};

use self::stage::{Broken, Stage};
use crate::local::{StandIn, Venue};
use crate::report::fingerprint;

/// Tells the story. `echo` shows the functions' own log lines too.
///
/// # Errors
/// What could not be built or started, or what did not happen as it has to.
pub async fn tell(venue: Venue, echo: bool) -> Result<(), Broken> {
    tell_of(venue, crate::function::build().await?, echo).await
}

/// The same, of a binary that is built already.
///
/// # Errors
/// What could not be started, or what did not happen as it has to.
pub async fn tell_of(venue: Venue, binary: PathBuf, echo: bool) -> Result<(), Broken> {
    let mut story = Story {
        stage: Stage::set(venue, binary, echo).await?,
    };
    story.a_rotation().await?;
    story.grace().await?;
    story.an_overwrite().await?;
    story.a_leak().await?;
    story.a_bad_deployment().await?;
    story.an_audit().await
}

struct Story {
    stage: Stage,
}

impl Story {
    fn stand_in(&self) -> &'static StandIn {
        self.stage.local.stand_in
    }

    async fn a_rotation(&self) -> Result<(), Broken> {
        self.chapter(
            "A rotation",
            "A key made by hand, on a 90-day schedule. A bot has read it and trades.",
        );
        let bot = self.stage.key("AWSCURRENT");
        let plan = self
            .stage
            .ask(json!({"operation": "plan", "secret": self.stand_in().secret}))
            .await?;
        must(
            plan["secrets"][0]["plan"]["would_succeed"] == true,
            "the plan says that a rotation would succeed",
            &plan,
        )?;
        say("plan: a rotation would succeed");
        findings(&plan);
        for step in self.stage.rotate().await? {
            say(&step);
        }
        let new = self.stage.key("AWSCURRENT");
        must(new != bot, "another key is current", &new.clone().into())?;
        must(
            self.stage.trades(&bot) && self.stage.trades(&new),
            "both keys live",
            &Value::Null,
        )?;
        say(&format!(
            "new bots read {}; the old bot still holds {}, and trades on",
            fingerprint(&new),
            fingerprint(&bot)
        ));
        Ok(())
    }

    async fn grace(&mut self) -> Result<(), Broken> {
        let old = self.stage.key("AWSPREVIOUS");
        self.later(
            SignedDuration::from_hours(25),
            "A day later: a key of our own would be at its end",
        )
        .await?;
        let maintained = self.stage.maintain().await?;
        must(
            has(&maintained, "ADOPTION_GRACE") && self.stage.trades(&old),
            "the hand-made key is in its longer grace",
            &maintained,
        )?;
        answer(&maintained);
        self.later(
            SignedDuration::from_hours(24 * 6),
            "A week after the rotation: the grace is over",
        )
        .await?;
        let maintained = self.stage.maintain().await?;
        must(
            maintained["counts"]["condemned"] == 1 && self.stage.trades(&old),
            "the first pass only condemns",
            &maintained,
        )?;
        answer(&maintained);
        self.later(SignedDuration::from_hours(1), "An hour later: the next pass")
            .await?;
        let maintained = self.stage.maintain().await?;
        must(
            maintained["counts"]["revoked"] == 1 && !self.stage.trades(&old),
            "the next pass revokes and proves",
            &maintained,
        )?;
        answer(&maintained);
        println(&format!("\n{}", self.stage.versions()));
        Ok(())
    }

    async fn an_overwrite(&mut self) -> Result<(), Broken> {
        self.chapter(
            "A hand-made overwrite",
            "Infrastructure code that carries the first value puts it back as AWSCURRENT: a dead key.",
        );
        let mut carried = self.stage.value("AWSCURRENT");
        let good = self.stage.key("AWSCURRENT");
        let by_hand = &self.stage.local.hand_made;
        let said = self.stand_in().value(by_hand);
        for field in ["api_key", "api_secret", "passphrase"] {
            if !said[field].is_null() {
                carried[field] = said[field].clone();
            }
        }
        carried["policy"] = json!({
            "permissions": self.stand_in().words, "ip_allowlist": ["127.0.0.1", "203.0.113.7"],
        });
        if let Some(fields) = carried.as_object_mut() {
            fields.remove("rotation");
            fields.remove("created_by");
        }
        self.stage.overwrite(&carried)?;
        let maintained = self.stage.maintain().await?;
        must(
            has(&maintained, "CURRENT_SUSPECT"),
            "the first rejection is stamped",
            &maintained,
        )?;
        answer(&maintained);
        self.later(SignedDuration::from_hours(1), "An hour later").await?;
        let maintained = self.stage.maintain().await?;
        must(
            has(&maintained, "CURRENT_DEAD") && self.stage.trades(&good),
            "it is a page, and there is a way back",
            &maintained,
        )?;
        answer(&maintained);
        say("the on-call person does what the finding says: rollback");
        self.roll_back().await?;
        must(
            self.stage.key("AWSCURRENT") == good,
            "the good key is current again",
            &Value::Null,
        )?;
        Ok(())
    }

    async fn a_leak(&mut self) -> Result<(), Broken> {
        self.chapter("A leak", "03:00. A key id stands in a public log.");
        let leaked = self.stage.key("AWSCURRENT");
        let shown: String = fingerprint(&leaked)
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        let found = self
            .stage
            .ask(json!({"operation": "audit", "match": {"fingerprint": shown}}))
            .await?;
        must(
            has(&found, "KEY_FOUND"),
            "the leaked key's secret is found",
            &found,
        )?;
        say(&format!(
            "whose is {shown}? {}",
            text(&found["findings"][0]["say"])
        ));
        let order = json!({
            "operation": "break_glass", "secret": self.stand_in().secret,
            "reason": "the key was seen in a public log", "incident": "INC-7",
        });
        let broken = self.stage.ask(order).await?;
        must(
            !self.stage.trades(&leaked) && self.stage.trades(&self.stage.key("AWSCURRENT")),
            "the leaked key is dead, and its successor lives",
            &broken,
        )?;
        for moment in broken["timeline"].as_array().into_iter().flatten() {
            say(&format!(
                "{:>3} s  {}",
                moment["seconds"].as_i64().unwrap_or_default(),
                text(&moment["what"])
            ));
        }
        let exposure = broken["exposure_seconds"].as_i64();
        must(
            exposure.is_some_and(|seconds| seconds < 60),
            "it took less than a minute",
            &broken,
        )?;
        say(&format!(
            "exposed for {} s after the order",
            exposure.unwrap_or_default()
        ));
        must(
            self.stage.output().iter().any(|line| line.contains("INC-7")),
            "the trail bears the incident's number",
            &Value::Null,
        )?;
        Ok(())
    }

    async fn a_bad_deployment(&mut self) -> Result<(), Broken> {
        self.chapter(
            "A bad deployment",
            "The key is rotated. Then somebody's clean-up script deletes the new key at the exchange.",
        );
        self.stage.rotate().await?;
        let (good, bad) = (self.stage.key("AWSPREVIOUS"), self.stage.key("AWSCURRENT"));
        self.later(SignedDuration::from_hours(1), "An hour later").await?;
        self.stage.delete_key(&bad)?;
        must(
            has(&self.stage.maintain().await?, "CURRENT_SUSPECT"),
            "one rejection is not believed",
            &Value::Null,
        )?;
        self.later(SignedDuration::from_hours(1), "An hour later").await?;
        let maintained = self.stage.maintain().await?;
        must(has(&maintained, "CURRENT_DEAD"), "a second one is", &maintained)?;
        answer(&maintained);
        self.roll_back().await?;
        must(
            self.stage.key("AWSCURRENT") == good && self.stage.trades(&good),
            "the key before is current again",
            &Value::Null,
        )?;
        Ok(())
    }

    async fn roll_back(&self) -> Result<(), Broken> {
        let back = self
            .stage
            .ask(json!({"operation": "rollback", "secret": self.stand_in().secret}))
            .await?;
        must(back["outcome"] == "ok", "the rollback begins", &back)?;
        answer(&back);
        self.stage.run_what_is_due().await?;
        say(&format!(
            "current is {} again, in a version of its own",
            fingerprint(&self.stage.key("AWSCURRENT"))
        ));
        Ok(())
    }

    async fn an_audit(&mut self) -> Result<(), Broken> {
        self.later(
            SignedDuration::from_hours(24 * 9),
            "Nine days later: every grace is over",
        )
        .await?;
        self.stage.maintain().await?;
        self.later(SignedDuration::from_hours(1), "An hour later").await?;
        self.stage.maintain().await?;
        self.chapter("An audit", "The security team asks what every key is.");
        let audit = self.stage.ask(json!({"operation": "audit"})).await?;
        must(audit["outcome"] == "ok", "nothing is left to do", &audit)?;
        let row = &audit["secrets"][0];
        say(&format!(
            "{}: {} account {}, {} keys of {} slots used, rotation {}",
            text(&row["secret"]),
            text(&row["venue"]),
            text(&row["account"]),
            row["slots"]["used"],
            row["slots"]["used"].as_u64().unwrap_or_default()
                + row["slots"]["left"].as_u64().unwrap_or_default(),
            text(&row["rotation"]),
        ));
        for key in row["keys"].as_array().into_iter().flatten() {
            say(&format!(
                "{} {}: alive {}, within policy {}",
                text(&key["fingerprint"]),
                text(&key["origin"]),
                key["alive"],
                key["within_policy"]
            ));
        }
        findings(&audit);
        println(&format!("\n{}\n{}", self.stage.versions(), self.stage.keys()));
        println("Every key that was replaced, leaked or put back is dead, and proven so. The end.");
        Ok(())
    }

    // The telling.

    fn chapter(&self, title: &str, situation: &str) {
        println(&format!(
            "\n{}  {title}\n  {situation}\n",
            self.stage.now().strftime("%Y-%m-%d %H:%M")
        ));
    }

    async fn later(&mut self, by: SignedDuration, words: &str) -> Result<(), Broken> {
        self.stage.later(by).await?;
        println(&format!(
            "\n{}  {words}",
            self.stage.now().strftime("%Y-%m-%d %H:%M")
        ));
        Ok(())
    }
}

/// What an operation answers, as a person reads it.
fn answer(answer: &Value) {
    say(&format!(
        "{}: {}",
        text(&answer["operation"]),
        text(&answer["outcome"])
    ));
    let did = answer["secrets"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|row| row["did"].as_array().into_iter().flatten());
    for what in did {
        say(&format!("  did   {}", text(what)));
    }
    findings(answer);
}

fn findings(answer: &Value) {
    for finding in answer["findings"].as_array().into_iter().flatten() {
        say(&format!(
            "  {:<6} {}: {}",
            text(&finding["severity"]),
            text(&finding["code"]),
            text(&finding["say"])
        ));
    }
}

fn has(answer: &Value, code: &str) -> bool {
    answer["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|finding| finding["code"] == code)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// # Errors
/// What was to be so and is not.
fn must(is_so: bool, what: &str, seen: &Value) -> Result<(), Broken> {
    if is_so {
        Ok(())
    } else {
        Err(format!("the story does not hold: {what}. Seen: {seen:#}").into())
    }
}

fn say(line: &str) {
    println(&format!("    {line}"));
}

#[expect(clippy::print_stdout, reason = "this is what the command is for")]
fn println(line: &str) {
    println!("{line}");
}
