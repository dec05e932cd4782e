//! The function's process under a clock that can be moved, without the function knowing: a few lines of C
//! between it and the system's clock.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::SignedDuration;
use tokio::process::Command;

use crate::function::{CLOCK_AHEAD, Environment};

/// The compiled lines. Removed when this is dropped.
#[derive(Debug)]
pub(super) struct MovedClock {
    folder: PathBuf,
    library: PathBuf,
}

impl MovedClock {
    /// Compiles them.
    pub(super) async fn build() -> Result<Self, String> {
        // Several stories may be told by one process.
        static STORIES: AtomicU32 = AtomicU32::new(0);
        let (process, story) = (std::process::id(), STORIES.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(format!("sandbox-story-{process}-{story}"));
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
        let library = folder.join("clock.so");
        let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/story/clock.c"));
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(source)
            .stdin(Stdio::null())
            .status()
            .await
            .map_err(|error| format!("the C compiler `cc` cannot be run: {error}"))?;
        let clock = Self { folder, library };
        if built.success() {
            Ok(clock)
        } else {
            Err("the story's clock could not be compiled: it needs Linux and a C compiler".into())
        }
    }

    /// An environment in which it is that much later.
    pub(super) fn ahead(&self, environment: Environment, by: SignedDuration) -> Environment {
        environment
            .with("LD_PRELOAD", self.library.to_string_lossy())
            .with(CLOCK_AHEAD, by.as_secs().to_string())
    }
}

impl Drop for MovedClock {
    fn drop(&mut self) {
        // What is left in a folder for temporary files does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
