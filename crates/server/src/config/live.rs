//! `[live]`: those who look on while the server works.

use serde::Deserialize;

use super::Size;
use crate::tap;

/// A smaller queue would not hold what one system call brings.
const QUEUE_BYTES_MIN: u64 = 1 << 20;
/// Each has a thread of its own.
const SUBSCRIBERS_MAX: usize = 1_000;

/// `[live]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    /// How many may read packets or datagrams at once.
    pub subscribers: usize,
    /// What may wait for each of them; what comes when it is full is lost to that one.
    pub queue: Size,
}

impl Default for Live {
    fn default() -> Self {
        Self { subscribers: 16, queue: Size(32_000_000) }
    }
}

impl Live {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.queue.0 < QUEUE_BYTES_MIN {
            return Err(format!("live.queue: {} is less than {QUEUE_BYTES_MIN} bytes", self.queue));
        }
        if self.subscribers > SUBSCRIBERS_MAX {
            return Err(format!("live.subscribers: {} is over {SUBSCRIBERS_MAX}", self.subscribers));
        }
        Ok(())
    }

    pub(crate) fn limits(&self) -> tap::Limits {
        tap::Limits { subscribers: self.subscribers, queue_bytes: self.queue.bytes() }
    }
}
