//! Tables, as Markdown.

use std::fmt::Write as _;

/// A heading, what there is to say of it, and a table.
pub(super) fn table<const N: usize>(heading: &str, say: &str, head: [&str; N], rows: &[[String; N]]) -> String {
    let mut text = format!("## {heading}\n\n");
    // A String takes all that is written to it.
    if !say.is_empty() {
        let _ = writeln!(text, "{say}\n");
    }
    let _ = writeln!(text, "| {} |", head.join(" | "));
    let _ = writeln!(text, "|{}", " --- |".repeat(N));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}
