//! An audit's rows as a table of comma-separated values.

use crate::operations::answer::{Finding, KeyRow, Row};

const COLUMNS: [&str; 16] = [
    "secret",
    "arn",
    "venue",
    "account",
    "strategy",
    "rotation",
    "replicas_in_sync",
    "slots_used",
    "slots_left",
    "foreign_keys",
    "orphans",
    "last_rotated",
    "next_rotation",
    "findings",
    "keys",
    "checked_at",
];
/// What is said of each of a secret's keys that people ask for most.
const OF_A_KEY: [&str; 9] = [
    "version",
    "fingerprint",
    "origin",
    "alive",
    "age_days",
    "expires_at",
    "powers",
    "addresses",
    "within_policy",
];
const ROLES: [(&str, &str); 3] = [
    ("current", "AWSCURRENT"),
    ("previous", "AWSPREVIOUS"),
    ("pending", "AWSPENDING"),
];

/// A line for each row, after one with the names of the columns.
pub(crate) fn table(rows: &[Row], findings: &[Finding]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let of_keys = ROLES
        .iter()
        .flat_map(|(role, _)| OF_A_KEY.iter().map(move |column| format!("{role}_{column}")));
    let head = COLUMNS.iter().map(|column| (*column).to_owned()).chain(of_keys);
    // Writing into memory does not fail, and every line has the same columns.
    let mut written = writer.write_record(head).is_ok();
    for row in rows {
        written &= writer
            .write_record(line(row, findings).into_iter().map(defused))
            .is_ok();
    }
    debug_assert!(written, "a line has another number of columns than the first");
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// A cell that a spreadsheet would take for a formula, as text: an account or a version's id is what somebody
/// wrote.
fn defused(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell
    }
}

fn line(row: &Row, findings: &[Finding]) -> Vec<String> {
    let audited = row.audit.as_deref();
    let codes: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.secret == row.secret)
        .map(|finding| finding.code.as_str())
        .collect();
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let number = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
    let mut line = vec![
        row.secret.clone(),
        row.arn.clone(),
        text(audited.and_then(|audited| audited.venue.as_ref())),
        text(audited.and_then(|audited| audited.account.as_ref())),
        audited
            .and_then(|audited| audited.strategy)
            .unwrap_or_default()
            .to_owned(),
        audited
            .map(|audited| audited.rotation.as_str())
            .unwrap_or_default()
            .to_owned(),
        audited
            .map(|audited| audited.replicas.iter().all(|replica| replica.in_sync).to_string())
            .unwrap_or_default(),
        number(audited.and_then(|audited| Some(audited.slots?.used))),
        number(audited.and_then(|audited| audited.slots?.left)),
        number(audited.and_then(|audited| Some(audited.foreign_keys.as_ref()?.len()))),
        number(audited.and_then(|audited| Some(audited.orphans.as_ref()?.len()))),
        audited
            .and_then(|audited| audited.last_rotated)
            .map(|at| at.to_string())
            .unwrap_or_default(),
        audited
            .and_then(|audited| audited.next_rotation)
            .map(|at| at.to_string())
            .unwrap_or_default(),
        codes.join(" "),
        row.keys.len().to_string(),
        row.keys
            .iter()
            .map(|key| key.checked_at)
            .max()
            .map(|at| at.to_string())
            .unwrap_or_default(),
    ];
    for (_, label) in ROLES {
        let key = row.keys.iter().find(|key| {
            key.audit
                .as_ref()
                .is_some_and(|audited| audited.labels.iter().any(|held| held == label))
        });
        line.extend(of_key(key));
    }
    line
}

fn of_key(key: Option<&KeyRow>) -> [String; OF_A_KEY.len()] {
    let Some((key, audited)) = key.and_then(|key| Some((key, key.audit.as_deref()?))) else {
        return Default::default();
    };
    [
        key.version.clone(),
        key.fingerprint.clone(),
        audited.origin.to_owned(),
        key.alive.map(|alive| alive.to_string()).unwrap_or_default(),
        audited.age_days.map(|days| days.to_string()).unwrap_or_default(),
        audited.expires_at.map(|at| at.to_string()).unwrap_or_default(),
        audited
            .powers
            .as_ref()
            .map(|powers| powers.join(" "))
            .unwrap_or_default(),
        audited.addresses.clone().unwrap_or_default(),
        audited
            .within_policy
            .map(|within| within.to_string())
            .unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::answer::Audited;

    #[test]
    fn what_a_spreadsheet_would_take_for_a_formula_is_text() {
        for (account, shown) in [
            ("=1+1", "'=1+1"),
            ("+7", "'+7"),
            ("-7", "'-7"),
            ("@a", "'@a"),
            ("53888000", "53888000"),
        ] {
            let audited = Audited {
                account: Some(account.to_owned()),
                ..Audited::default()
            };
            let row = Row {
                secret: "a".to_owned(),
                audit: Some(Box::new(audited)),
                ..Row::default()
            };
            let table = table(&[row], &[]);
            let cells: Vec<&str> = table.lines().nth(1).expect("a line").split(',').collect();
            assert_eq!(cells[3], shown);
        }
    }
}
