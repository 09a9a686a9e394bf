//! `orlop check`.

use std::process::ExitCode;

use clap::Args;
use orlop::{Finding, Severity};
use serde::Serialize;

use super::{
    output::{Output, printable},
    reason,
};
use crate::config::{Config, Drivers, MountConfig};

/// Try each mount, and say what is wrong and how to mend it
///
/// The exit status is 1 if a mount does not work.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// Also write and remove a file of a random name in each mount that is not read-only
    #[arg(long)]
    write: bool,
    /// Print a JSON array, a mount on each line
    #[arg(long)]
    json: bool,
}

/// What came of one mount.
#[derive(Debug, Serialize)]
struct Report {
    mount: String,
    ok: bool,
    findings: Vec<FindingJson>,
}

#[derive(Debug, Serialize)]
struct FindingJson {
    severity: &'static str,
    field: Option<String>,
    message: String,
    remedy: Option<String>,
}

impl Check {
    pub(super) async fn run(self, config: &Config, output: &Output) -> anyhow::Result<ExitCode> {
        let mut drivers = Drivers::new(config)?;
        let mut list = output.list();
        let mut all_work = true;
        for mount in &config.mounts {
            let report = Report::of(mount, self.write, &mut drivers).await;
            all_work &= report.ok;
            if self.json {
                list.push(&report)?;
            } else {
                report.print(output)?;
            }
        }
        if self.json {
            list.finish()?;
        } else if config.mounts.is_empty() {
            output.line("no mounts: add a [[mount]] section to the configuration")?;
        }
        Ok(if all_work {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Report {
    async fn of(config: &MountConfig, write: bool, drivers: &mut Drivers) -> Self {
        let findings = match find(config, write, drivers).await {
            Ok(findings) => findings.into_iter().map(FindingJson::from).collect(),
            Err(error) => vec![FindingJson {
                severity: severity(Severity::Failure),
                field: None,
                message: reason(&error),
                remedy: None,
            }],
        };
        Self {
            mount: format!("/{}", config.path),
            ok: !findings
                .iter()
                .any(|finding| finding.severity == severity(Severity::Failure)),
            findings,
        }
    }

    fn print(&self, output: &Output) -> anyhow::Result<()> {
        let state = if self.ok { "works" } else { "does not work" };
        output.line(format!("{}: {state}", printable(&self.mount)))?;
        for finding in &self.findings {
            let field = finding.field.as_ref();
            let field = field.map_or_else(String::new, |field| format!("`{field}`: "));
            let message = printable(&finding.message);
            output.line(format!("  {}: {field}{message}", finding.severity))?;
            if let Some(remedy) = &finding.remedy {
                output.line(format!("    remedy: {}", printable(remedy)))?;
            }
        }
        Ok(())
    }
}

async fn find(
    config: &MountConfig,
    write: bool,
    drivers: &mut Drivers,
) -> anyhow::Result<Vec<Finding>> {
    let mount = config.open(drivers).await?;
    Ok(mount.check(write).await?)
}

impl From<Finding> for FindingJson {
    fn from(finding: Finding) -> Self {
        Self {
            severity: severity(finding.severity),
            field: finding.field,
            message: finding.message,
            remedy: finding.remedy,
        }
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Failure => "failure",
    }
}
