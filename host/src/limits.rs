//! What one mount's driver may use.

use std::time::Duration;

/// What one mount's driver may use. The defaults suit a driver that nobody trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of memory for one instance. Default 64 MiB, at most 4 GiB.
    pub memory: u64,
    /// Time that an instance may compute without waiting for anything. Default 1 s.
    pub cpu: Duration,
    /// Time that one call may take. Default 30 s; an upload, ten times that without progress.
    pub deadline: Duration,
    /// Requests that the mount may have under way at once. Default 64.
    pub requests_in_flight: usize,
    /// Bytes of one answer that may be copied into an instance. Default 32 MiB.
    pub response_bytes: u64,
    /// Bytes that one instance may write to the log. Default 64 KiB; what is more is dropped.
    pub log_bytes: u64,
    /// Calls under way at once in one instance. Default 16.
    pub calls_per_instance: usize,
    /// Instances at once. Default 4; at least 2 are used under load.
    pub instances: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            cpu: Duration::from_secs(1),
            deadline: Duration::from_secs(30),
            requests_in_flight: 64,
            response_bytes: 32 << 20,
            log_bytes: 64 << 10,
            calls_per_instance: 16,
            instances: 4,
        }
    }
}

impl Limits {
    /// Sets the bytes of memory for one instance.
    #[must_use]
    pub fn with_memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// Sets the time that an instance may compute without waiting.
    #[must_use]
    pub fn with_cpu(mut self, time: Duration) -> Self {
        self.cpu = time;
        self
    }

    /// Sets the time that one call may take.
    #[must_use]
    pub fn with_deadline(mut self, time: Duration) -> Self {
        self.deadline = time;
        self
    }

    /// Sets the number of requests under way at once.
    #[must_use]
    pub fn with_requests_in_flight(mut self, requests: usize) -> Self {
        self.requests_in_flight = requests;
        self
    }

    /// Sets the bytes of one answer that may be copied into an instance.
    #[must_use]
    pub fn with_response_bytes(mut self, bytes: u64) -> Self {
        self.response_bytes = bytes;
        self
    }

    /// Sets the bytes that one instance may write to the log.
    #[must_use]
    pub fn with_log_bytes(mut self, bytes: u64) -> Self {
        self.log_bytes = bytes;
        self
    }

    /// Sets the calls under way at once in one instance, at least 1.
    #[must_use]
    pub fn with_calls_per_instance(mut self, calls: usize) -> Self {
        self.calls_per_instance = calls;
        self
    }

    /// Sets the number of instances at once, at least 1.
    #[must_use]
    pub fn with_instances(mut self, instances: usize) -> Self {
        self.instances = instances;
        self
    }
}
