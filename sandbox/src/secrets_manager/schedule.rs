//! Rotation schedules: what is accepted, and when a window opens and closes.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Error;

/// `RotationRules`: days, or an expression, and the length of the window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RotationRules {
    /// 1 to 1,000 days between rotations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatically_after_days: Option<i64>,
    /// The window's length, such as `3h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// `rate(…)` or `cron(…)`, in UTC. A cron expression is kept and never fires here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_expression: Option<String>,
}

impl RotationRules {
    /// A schedule of so many days.
    pub fn days(days: i64) -> Self {
        Self {
            automatically_after_days: Some(days),
            ..Self::default()
        }
    }

    /// A schedule by expression.
    pub fn expression(expression: impl Into<String>) -> Self {
        Self {
            schedule_expression: Some(expression.into()),
            ..Self::default()
        }
    }

    /// Refuses what the API reference rules out: "with `AutomaticallyAfterDays` or `ScheduleExpression`, but
    /// not both", "as often as every four hours", 1,000 days at most, and a window that "must not extend
    /// into the next UTC day or into the next rotation window". The wordings are unverified; how often a
    /// cron expression fires isn't checked.
    pub(super) fn check(&self) -> Result<(), Error> {
        let interval = match (self.automatically_after_days, self.schedule_expression.as_deref()) {
            (Some(days), None) => Interval::Days(days),
            (None, Some(expression)) => Interval::parse(expression).ok_or_else(|| {
                Error::parameter("RotationRules.ScheduleExpression isn't a valid rate() or cron().")
            })?,
            (Some(_), Some(_)) => {
                return Err(Error::parameter(
                    "You can't specify both AutomaticallyAfterDays and ScheduleExpression in RotationRules.",
                ));
            }
            (None, None) => {
                return Err(Error::parameter(
                    "RotationRules must have AutomaticallyAfterDays or ScheduleExpression.",
                ));
            }
        };
        let longest_window = match interval {
            Interval::Days(days) if !(1..=1000).contains(&days) => {
                return Err(Error::parameter(
                    "RotationRules.AutomaticallyAfterDays must be within 1-1000.",
                ));
            }
            Interval::Hours(hours) if !(4..=24_000).contains(&hours) => {
                return Err(Error::parameter(
                    "A rotation interval must be 4 hours to 1,000 days.",
                ));
            }
            Interval::Hours(hours) => hours.min(24),
            Interval::Days(_) | Interval::Cron => 24,
        };
        match self.duration.as_deref().map(window_hours) {
            None => Ok(()),
            Some(Some(hours)) if (1..=longest_window).contains(&hours) => Ok(()),
            Some(_) => Err(Error::parameter(format!(
                "RotationRules.Duration must be whole hours from 1h to {longest_window}h."
            ))),
        }
    }

    /// When the first window after `since` opens: for days at midnight UTC so many days later ("If you use a
    /// `rate()` expression, the rotation window starts at midnight"), for hours at the full hour
    /// (unverified).
    pub(super) fn window_opens(&self, since: Timestamp) -> Option<Timestamp> {
        match self.interval()? {
            Interval::Days(days) => Some(utc_midnight(since) + SignedDuration::from_hours(24 * days)),
            Interval::Hours(hours) => Some(start_of(3600, since) + SignedDuration::from_hours(hours)),
            Interval::Cron => None,
        }
    }

    /// When that window closes: "For a rate in hours, the default rotation window closes after one hour. For
    /// a rate in days, the default rotation window closes at the end of the day."
    pub(super) fn window_closes(&self, since: Timestamp) -> Option<Timestamp> {
        let opens = self.window_opens(since)?;
        let default = if let Some(Interval::Hours(_)) = self.interval() {
            1
        } else {
            24
        };
        let hours = self.duration.as_deref().and_then(window_hours).unwrap_or(default);
        // AWS shows the last second of the day, not the first of the next.
        Some(opens + SignedDuration::from_hours(hours) - SignedDuration::from_secs(1))
    }

    fn interval(&self) -> Option<Interval> {
        match self.automatically_after_days {
            Some(days) => Some(Interval::Days(days)),
            None => Interval::parse(self.schedule_expression.as_deref()?),
        }
    }
}

/// How far apart rotations are.
enum Interval {
    Days(i64),
    Hours(i64),
    Cron,
}

impl Interval {
    fn parse(expression: &str) -> Option<Self> {
        if expression.len() > 256 {
            return None;
        }
        if let Some(fields) = inside(expression, "cron(") {
            // Minutes, hours, day of month, month, day of week, year.
            return (fields.split_whitespace().count() == 6).then_some(Self::Cron);
        }
        let rate = inside(expression, "rate(")?;
        let (count, unit) = rate.trim().split_once(' ')?;
        let count = count.parse().ok()?;
        match unit.trim() {
            "day" | "days" => Some(Self::Days(count)),
            "hour" | "hours" => Some(Self::Hours(count)),
            _ => None,
        }
    }
}

fn inside<'a>(expression: &'a str, opening: &str) -> Option<&'a str> {
    expression.strip_prefix(opening)?.strip_suffix(')')
}

fn window_hours(duration: &str) -> Option<i64> {
    duration.strip_suffix('h')?.parse().ok()
}

/// The beginning of this UTC day.
pub(super) fn utc_midnight(at: Timestamp) -> Timestamp {
    start_of(86_400, at)
}

fn start_of(seconds: i64, at: Timestamp) -> Timestamp {
    at - SignedDuration::new(at.as_second().rem_euclid(seconds), at.subsec_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{T0, hours};
    use super::*;

    #[test]
    fn schedules_are_from_four_hours_to_a_thousand_days() {
        let accepted = [
            "rate(4 hours)",
            "rate(1 day)",
            "rate(1000 days)",
            "rate(24000 hours)",
            "cron(0 16 1,15 * ? *)",
        ];
        for expression in accepted {
            assert!(
                RotationRules::expression(expression).check().is_ok(),
                "{expression}"
            );
        }
        for expression in [
            "rate(3 hours)",
            "rate(1001 days)",
            "rate(0 days)",
            "rate(5 minutes)",
            "cron(* *)",
            "90",
            "",
        ] {
            assert!(
                RotationRules::expression(expression).check().is_err(),
                "{expression}"
            );
        }
        assert!(RotationRules::days(1).check().is_ok());
        assert!(RotationRules::days(1000).check().is_ok());
        assert!(RotationRules::days(0).check().is_err());
        assert!(RotationRules::days(1001).check().is_err());
        assert!(RotationRules::default().check().is_err());
        let both = RotationRules {
            automatically_after_days: Some(1),
            ..RotationRules::expression("rate(1 day)")
        };
        assert!(both.check().is_err());
    }

    #[test]
    fn a_window_ends_before_the_next_begins_and_within_the_day() {
        let with = |rules: RotationRules, duration: &str| {
            RotationRules {
                duration: Some(duration.to_owned()),
                ..rules
            }
            .check()
        };
        assert!(with(RotationRules::days(90), "3h").is_ok());
        assert!(with(RotationRules::days(90), "24h").is_ok());
        assert!(with(RotationRules::days(90), "25h").is_err());
        assert!(with(RotationRules::expression("rate(4 hours)"), "4h").is_ok());
        assert!(with(RotationRules::expression("rate(4 hours)"), "5h").is_err());
        for odd in ["0h", "3", "h", "3m"] {
            assert!(with(RotationRules::days(90), odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn windows_of_days_open_at_midnight_and_windows_of_hours_at_the_hour() {
        let since = T0 + hours(5) + SignedDuration::from_secs(61);
        assert_eq!(
            RotationRules::days(90).window_opens(since),
            Some(T0 + hours(90 * 24))
        );
        let last_second = SignedDuration::from_secs(1);
        assert_eq!(
            RotationRules::days(90).window_closes(since),
            Some(T0 + hours(91 * 24) - last_second)
        );
        let hourly = RotationRules::expression("rate(6 hours)");
        assert_eq!(hourly.window_opens(since), Some(T0 + hours(11)));
        assert_eq!(hourly.window_closes(since), Some(T0 + hours(12) - last_second));
        assert_eq!(
            RotationRules::expression("cron(0 8 * * ? *)").window_opens(since),
            None
        );
    }
}
