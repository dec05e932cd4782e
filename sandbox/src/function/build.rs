//! Building the function's binary, and finding where cargo put it.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use thiserror::Error;
use tokio::process::Command;

const PACKAGE: &str = "exchange-key-rotation";

/// The function could not be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// cargo could not be run.
    #[error("cargo could not be run: {0}")]
    NoCargo(#[from] std::io::Error),
    /// cargo ran and failed; its own words stand above.
    #[error("cargo could not build the function")]
    Failed,
    /// cargo named no executable.
    #[error("cargo built the function, and did not say where")]
    NoExecutable,
}

/// Builds the function with the workspace's own settings, and returns the path of its executable. cargo's
/// progress goes to standard error.
pub async fn build() -> Result<PathBuf, BuildError> {
    build_package(PACKAGE, &[]).await
}

/// Builds the function as it is deployed.
pub async fn build_release() -> Result<PathBuf, BuildError> {
    build_package(PACKAGE, &["--release"]).await
}

/// Builds the program of any package of the workspace, which bears the package's name.
pub(crate) async fn build_package(package: &str, options: &[&str]) -> Result<PathBuf, BuildError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--package",
            package,
            "--bin",
            package,
            "--message-format=json-render-diagnostics",
        ])
        .args(options)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stderr(Stdio::inherit())
        .output()
        .await?;
    if !output.status.success() {
        return Err(BuildError::Failed);
    }
    let messages = output.stdout.split(|byte| *byte == b'\n').rev();
    let mut executables = messages
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    executables.next().ok_or(BuildError::NoExecutable)
}
