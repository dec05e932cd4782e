//! Where the figures were taken.

use std::fs;

/// Day, processor, and how busy the machine is.
pub(super) fn described() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches(['\t', ' ', ':']));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    format!(
        "# {}, {cores} cores, {}{}\n\nLoad when it began: {load}. Each figure is a median, with the least \
         and the most in parentheses.\n",
        jiff::Timestamp::now().strftime("%Y-%m-%d"),
        std::env::consts::ARCH,
        model.map_or_else(String::new, |model| format!(", {model}")),
    )
}
