//! From milliseconds of uptime to absolute time.

const NS_PER_MS: i64 = 1_000_000;

/// How far a flow's clock may run ahead of its header's before it is read as a wrapped uptime.
///
/// Exporters take the header's time some milliseconds, sometimes seconds, before the last packet's.
const SKEW_MAX_MS: u32 = 100_000;

/// When the exporter's uptime was `at_ms`, told by a header that says `uptime_ms` at `header_ns`.
///
/// Uptime wraps every 49.7 days, so the difference is taken modulo 2^32: what lies up to
/// 100 seconds after the header's own time is skew between clocks, everything else is past.
pub fn uptime_to_ns(header_ns: i64, uptime_ms: u32, at_ms: u32) -> i64 {
    let ahead_ms = at_ms.wrapping_sub(uptime_ms);
    if ahead_ms <= SKEW_MAX_MS {
        return header_ns.saturating_add(i64::from(ahead_ms) * NS_PER_MS);
    }
    let age_ms = uptime_ms.wrapping_sub(at_ms);
    header_ns.saturating_sub(i64::from(age_ms) * NS_PER_MS)
}

/// Where a header's uptimes begin, for many of them at once: what [`uptime_to_ns`] says, without a branch.
#[derive(Clone, Copy, Debug)]
pub struct UptimeZero {
    /// The latest uptime that is not read as a wrapped one.
    latest_ms: u32,
    /// When that is.
    latest_ns: i64,
}

impl UptimeZero {
    /// For uptimes told by a header that says `uptime_ms` at `header_ns`, on a clock to which `shift_ns` is added. None
    /// where a time could be beyond what 64 bits hold.
    pub fn new(header_ns: i64, uptime_ms: u32, shift_ns: i64) -> Option<Self> {
        let skew_ns = i64::from(SKEW_MAX_MS) * NS_PER_MS;
        let latest_ns = header_ns.checked_add(shift_ns)?.checked_add(skew_ns)?;
        latest_ns.checked_sub(i64::from(u32::MAX) * NS_PER_MS)?;
        Some(Self { latest_ms: uptime_ms.wrapping_add(SKEW_MAX_MS), latest_ns })
    }

    /// When the uptime was `at_ms`.
    #[inline]
    pub const fn ns(self, at_ms: u32) -> i64 {
        self.latest_ns - self.age_ms(at_ms) as i64 * NS_PER_MS
    }

    /// The earliest time that any uptime can stand for.
    #[inline]
    pub const fn earliest_ns(self) -> i64 {
        self.latest_ns - u32::MAX as i64 * NS_PER_MS
    }

    /// Whether no uptime is zero, which means that it was never set, and none of `firsts` is after the one of `lasts`.
    pub fn are_in_order(self, firsts: &[u32], lasts: &[u32]) -> bool {
        let in_order = |first, last| (first != 0) & (last != 0) & (self.age_ms(first) >= self.age_ms(last));
        firsts.iter().zip(lasts).fold(true, |all, (&first, &last)| all & in_order(first, last))
    }

    #[inline]
    const fn age_ms(self, at_ms: u32) -> u32 {
        self.latest_ms.wrapping_sub(at_ms)
    }
}

/// Start and end of a flow from its first and last uptimes; nothing where both are zero, which means unset.
///
/// A flow during which the uptime wrapped has `first_ms` over `last_ms`, and its start 2^32 ms earlier:
/// that follows from the modulus. An end before its start can still come out of clock skew.
pub fn flow_times_ns(header_ns: i64, uptime_ms: u32, first_ms: u32, last_ms: u32) -> Option<(i64, i64)> {
    if first_ms == 0 && last_ms == 0 {
        return None;
    }
    Some((uptime_to_ns(header_ns, uptime_ms, first_ms), uptime_to_ns(header_ns, uptime_ms, last_ms)))
}
