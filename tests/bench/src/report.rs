//! What is printed and written.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::row::Row;

const HEADINGS: [&str; 7] = ["", "ours", "baseline", "unit", "ratio", "limit", ""];

/// Prints the rows as a table that Markdown understands too.
pub(crate) fn print(rows: &[Row]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(table(rows).as_bytes())
        .context("cannot print the table")
}

/// Says what is going on, to whoever waits for the table.
pub(crate) fn progress(what: &str) {
    // Nobody who is interested is left if it fails.
    let _ = writeln!(std::io::stderr(), "  {what}");
}

/// Says why there is no table.
pub(crate) fn complain(error: &anyhow::Error) {
    let _ = writeln!(std::io::stderr(), "orlop-bench: {error:#}");
}

/// Writes the rows to `bench.json` in the target folder, and returns its path.
pub(crate) fn write(rows: &[Row]) -> Result<PathBuf> {
    let file = target_folder()?.join("bench.json");
    let rows: Value = rows.iter().map(Row::json).collect();
    std::fs::write(&file, format!("{rows:#}\n"))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// The folder of cargo's that this program lies in: two above it.
fn target_folder() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    program
        .parent()
        .and_then(Path::parent)
        .map(Path::to_path_buf)
        .context("this program does not lie in a target folder")
}

fn table(rows: &[Row]) -> String {
    let rows: Vec<_> = rows.iter().map(Row::cells).collect();
    let widths: Vec<usize> = HEADINGS
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows.iter().filter_map(|cells| cells.get(column));
            let widest = cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default();
            widest.max(heading.chars().count()).max(2)
        })
        .collect();
    let line = |cells: &[String]| {
        let mut line = String::from("|");
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            line += &match column {
                0 | 3 | 6 => format!(" {cell:<width$} |"),
                _ => format!(" {cell:>width$} |"),
            };
        }
        line + "\n"
    };
    let rule = widths
        .iter()
        .enumerate()
        .map(|(column, width)| match column {
            0 | 3 | 6 => "-".repeat(*width),
            _ => "-".repeat(width - 1) + ":",
        });
    let mut table = line(&HEADINGS.map(str::to_owned));
    table += &line(&rule.collect::<Vec<_>>());
    for cells in &rows {
        table += &line(cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Unit;

    #[test]
    fn columns_line_up() {
        let rows = [
            Row::compared("links", Unit::Microseconds, (10.0, 8.0)).at_most(2.0),
            Row::absolute("size", Unit::Megabytes, 1234.0),
        ];
        let expected = "\
|       | ours | baseline | unit | ratio |  limit |      |
| ----- | ---: | -------: | ---- | ----: | -----: | ---- |
| links | 10.0 |     8.00 | µs   |  1.25 | ≤ 2.00 | pass |
| size  | 1234 |          | MB   |       |        |      |
";
        assert_eq!(table(&rows), expected);
    }
}
