//! The rotation function for the API keys of cryptocurrency exchanges.

fn main() {}
