//! Tables, as Markdown.

use std::fmt::Write as _;

/// A heading, what there is to say of it, and a table.
pub(super) fn table(heading: &str, say: &str, head: &[&str], rows: &[impl AsRef<[String]>]) -> String {
    let mut text = format!("## {heading}\n\n");
    // A String takes all that is written to it.
    if !say.is_empty() {
        let _ = writeln!(text, "{say}\n");
    }
    let _ = writeln!(text, "| {} |", head.join(" | "));
    let _ = writeln!(text, "|{}", " --- |".repeat(head.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.as_ref().join(" | "));
    }
    text
}
