//! How often a secret is to be rotated, as Secrets Manager says it.

use std::time::Duration;

/// How often a secret is to be rotated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// AutomaticallyAfterDays.
    pub days: Option<u32>,
    /// ScheduleExpression: `rate(…)` or `cron(…)`. Where there is one it decides, and the days are what
    /// Secrets Manager made of it.
    pub expression: Option<String>,
    /// Duration, in hours: how long the rotation window stays open.
    pub window_hours: Option<u32>,
}

impl Schedule {
    /// The time from one rotation to the next; `None` where a `cron(…)` decides.
    /// Source: AWS user guide, "Rotation schedules": `rate(n hours)` or `rate(n days)`.
    pub fn interval(&self) -> Option<Duration> {
        match &self.expression {
            Some(expression) => {
                rate(expression).map(|(count, hours)| Duration::from_hours(u64::from(count) * hours))
            }
            None => self.days.map(|days| Duration::from_hours(DAY * u64::from(days))),
        }
    }

    /// How long the rotation window stays open: an hour where a rate is in hours and nothing else is said,
    /// else the rest of the day. Source: AWS user guide, "Rotation schedules".
    pub fn window(&self) -> Duration {
        let hourly = self
            .expression
            .as_deref()
            .and_then(rate)
            .is_some_and(|(_, hours)| hours == 1);
        Duration::from_hours(self.window_hours.map_or(if hourly { 1 } else { DAY }, u64::from))
    }
}

/// A day, in hours.
const DAY: u64 = 24;

/// How many of how many hours a `rate(…)` says.
fn rate(expression: &str) -> Option<(u32, u64)> {
    let rate = expression.trim().strip_prefix("rate(")?.strip_suffix(')')?;
    let (count, unit) = rate.trim().split_once(' ')?;
    let hours = match unit.trim() {
        "hour" | "hours" => 1,
        "day" | "days" => DAY,
        _ => return None,
    };
    Some((count.parse().ok()?, hours))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(
        days: Option<u32>,
        expression: Option<&str>,
        window_hours: Option<u32>,
    ) -> (Option<u64>, u64) {
        let schedule = Schedule {
            days,
            expression: expression.map(str::to_owned),
            window_hours,
        };
        (
            schedule.interval().map(|interval| interval.as_secs() / 3600),
            schedule.window().as_secs() / 3600,
        )
    }

    #[test]
    fn the_expression_decides_and_the_days_are_what_aws_made_of_it() {
        assert_eq!(schedule(Some(1), Some("rate(4 hours)"), None), (Some(4), 1));
        assert_eq!(schedule(Some(1), Some("rate(36 hours)"), None), (Some(36), 1));
        assert_eq!(schedule(Some(1), Some("rate(1 hour)"), Some(2)), (Some(1), 2));
        assert_eq!(schedule(Some(10), Some("rate(10 days)"), None), (Some(240), 24));
        assert_eq!(schedule(Some(30), None, Some(3)), (Some(720), 3));
        assert_eq!(schedule(Some(7), Some("cron(0 8 1 * ? *)"), None), (None, 24));
        assert_eq!(schedule(None, Some("rate(many days)"), None), (None, 24));
        assert_eq!(schedule(None, None, None), (None, 24));
    }
}
