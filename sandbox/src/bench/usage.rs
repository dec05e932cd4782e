//! What the operating system says a process has used.

use std::fs;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// The CPU time of all children that have ended and were waited for, those of their threads that ended before
/// them included.
pub(super) fn cpu_of_ended_children() -> Duration {
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(Duration::ZERO, |usage| {
        time(usage.user_time()) + time(usage.system_time())
    })
}

/// The CPU time of the threads that a running process has, to the nanosecond. `None` where the machine does
/// not say.
pub(super) fn cpu(process: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{process}/task"))
        .ok()?
        .filter_map(Result::ok);
    let of_thread = |thread: fs::DirEntry| {
        let statistics = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        statistics
            .split(' ')
            .next()?
            .parse()
            .ok()
            .map(Duration::from_nanos)
    };
    threads.map(of_thread).sum()
}

/// The most memory that a running process has had at once, in bytes. `None` where the machine does not say.
pub(super) fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn time(value: TimeVal) -> Duration {
    let micros = |part: i64| u64::try_from(part).unwrap_or(0);
    Duration::from_secs(micros(value.tv_sec())) + Duration::from_micros(micros(value.tv_usec()))
}
