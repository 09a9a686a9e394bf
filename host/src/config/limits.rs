//! `[mount.limits]`: how much a driver may use.

use orlop::Limits;

use super::{Error, section::Section};

/// Reads the section; what is not set keeps its default.
pub(super) fn read(mut section: Section<'_>) -> Result<Limits, Error> {
    let mut limits = Limits::default();
    if let Some(memory) = section.size("memory")? {
        limits = limits.with_memory(memory);
    }
    if let Some(cpu) = section.seconds("cpu_seconds")? {
        limits = limits.with_cpu(cpu);
    }
    if let Some(deadline) = section.seconds("deadline_seconds")? {
        limits = limits.with_deadline(deadline);
    }
    if let Some(requests) = section.count("requests_in_flight")? {
        limits = limits.with_requests_in_flight(requests);
    }
    if let Some(bytes) = section.size("response_bytes")? {
        limits = limits.with_response_bytes(bytes);
    }
    if let Some(bytes) = section.size("log_bytes")? {
        limits = limits.with_log_bytes(bytes);
    }
    if let Some(instances) = section.count("instances")? {
        limits = limits.with_instances(instances);
    }
    if let Some(calls) = section.count("calls_per_instance")? {
        limits = limits.with_calls_per_instance(calls);
    }
    section.finish()?;
    Ok(limits)
}
