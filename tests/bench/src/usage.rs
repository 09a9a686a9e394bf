//! What a process uses, as the kernel counts it (proc(5)).

use std::fs;

use anyhow::{Context, Result};

/// Ticks in a second of processor time: the same on every Linux.
const TICKS: f64 = 100.0;

/// A process to look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    process: u32,
}

impl Usage {
    /// Looks at this process.
    pub(crate) fn of(process: u32) -> Self {
        Self { process }
    }

    /// Resident memory now, in millions of bytes.
    pub(crate) fn resident(self) -> Result<f64> {
        self.memory("VmRSS:")
    }

    /// The most resident memory so far, or since [`Usage::forget_peak`], in millions of bytes.
    pub(crate) fn peak(self) -> Result<f64> {
        self.memory("VmHWM:")
    }

    /// Has the peak begin anew at what is resident now.
    pub(crate) fn forget_peak(self) -> Result<()> {
        let file = format!("/proc/{}/clear_refs", self.process);
        fs::write(&file, "5").with_context(|| format!("cannot write {file}"))
    }

    /// Processor time of all threads so far, in seconds; counted in hundredths.
    pub(crate) fn processor(self) -> Result<f64> {
        let text = self.read("stat")?;
        processor(&text).context("cannot read /proc/PID/stat")
    }

    fn memory(self, field: &str) -> Result<f64> {
        let text = self.read("status")?;
        memory(&text, field).with_context(|| format!("no {field} in /proc/PID/status"))
    }

    fn read(self, name: &str) -> Result<String> {
        let file = format!("/proc/{}/{name}", self.process);
        fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))
    }
}

fn memory(status: &str, field: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

fn processor(stat: &str) -> Option<f64> {
    // The program's name may hold anything, also spaces and brackets.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let status = "Name:\torlop\nVmHWM:\t   50000 kB\nVmRSS:\t   40000 kB\n";
        assert_eq!(memory(status, "VmRSS:"), Some(40.96));
        assert_eq!(memory(status, "VmHWM:"), Some(51.2));
        assert_eq!(memory(status, "VmSwap:"), None);
        let stat = "1234 (a) b) S 1 2 3 4 -1 5 6 7 8 9 150 50 0 0 20 0 8 0 99";
        assert_eq!(processor(stat), Some(2.0));
    }

    #[test]
    fn this_process_is_there() {
        let usage = Usage::of(std::process::id());
        assert!(usage.resident().unwrap() > 0.1);
        assert!(usage.peak().unwrap() >= 0.1);
        assert!(usage.processor().unwrap() >= 0.0);
    }
}
