//! Texts with words to be filled in.

/// Puts values in the place of words.
pub(crate) fn filled_in(bytes: &[u8], values: &[(&str, &str)]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        if let Some((word, value)) = values.iter().find(|(word, _)| rest.starts_with(word.as_bytes())) {
            filled.extend_from_slice(value.as_bytes());
            rest = &rest[word.len()..];
        } else {
            filled.push(*first);
            rest = &rest[1..];
        }
    }
    filled
}

/// The first line, as words, and the rest.
pub(crate) fn headed(bytes: &[u8]) -> (Vec<&str>, &[u8]) {
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(bytes.len());
    let (head, rest) = bytes.split_at(end);
    let words = std::str::from_utf8(head)
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    (words, rest.get(1..).unwrap_or_default())
}
