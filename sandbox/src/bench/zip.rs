//! The size of what is deployed.

use std::fs;
use std::path::Path;

use tokio::process::Command;

use super::peer::WORKSPACE;
use super::series::figure;
use super::table::table;

const HOW: &str = "install it in a virtual environment, `pip install cargo-lambda`, and put it on the PATH";

pub(super) async fn measure() -> String {
    let mut rows = Vec::new();
    for (architecture, option) in [("arm64", "--arm64"), ("x86_64", "--x86-64")] {
        rows.push([
            architecture.to_owned(),
            size(option)
                .await
                .unwrap_or_else(|why| format!("not measured: {why}")),
        ]);
    }
    table(
        "Zip",
        "As `cargo lambda build --release --output-format zip` makes it.",
        &["", "MB"],
        &rows,
    )
}

async fn size(option: &str) -> Result<String, String> {
    let mut build = Command::new("cargo");
    build.args([
        "lambda",
        "build",
        "--release",
        "--output-format",
        "zip",
        "--quiet",
        option,
        "--package",
        "exchange-key-rotation",
    ]);
    // cargo's own variables of this run would speak of another package's build.
    let status = build
        .current_dir(WORKSPACE)
        .env_remove("CARGO_MANIFEST_DIR")
        .status()
        .await;
    if !status.is_ok_and(|status| status.success()) {
        return Err(format!("`cargo lambda` failed or is not there; {HOW}"));
    }
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| format!("{WORKSPACE}/target"));
    let zip = Path::new(&target).join("lambda/exchange-key-rotation/bootstrap.zip");
    let bytes = fs::metadata(&zip)
        .map_err(|error| format!("no zip: {error}"))?
        .len();
    let kilobytes = u32::try_from(bytes / 1000).map_err(|error| error.to_string())?;
    Ok(figure(f64::from(kilobytes) / 1000.0))
}
