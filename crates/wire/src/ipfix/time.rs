//! Timestamps of records, as nanoseconds since 1970 (RFC 7011 sections 6.1.7 to 6.1.10).
//!
//! Times relative to the exporter's boot are [`crate::netflow::uptime_to_ns`]. Nothing here knows
//! which element it reads; each function says for which it is meant.

const NS_PER_SECOND: i64 = 1_000_000_000;

/// Seconds from 1900, where NTP counts from, to 1970.
const NTP_1970_SECONDS: u64 = 2_208_988_800;

/// Of NTP's fraction, what dateTimeMicroseconds does not carry (RFC 7011 section 6.1.9).
const NTP_BELOW_MICROS: u64 = 0x7ff;

/// 2000-01-01: a flow that claims to be older has a field that was never set.
const PLAUSIBLE_SINCE_NS: i64 = 946_684_800 * NS_PER_SECOND;

/// How far ahead of the export time a flow may claim to be.
const PLAUSIBLE_AHEAD_NS: i64 = 86_400 * NS_PER_SECOND;

/// dateTimeSeconds: 150, 151, 322.
pub fn seconds_to_ns(seconds: u64) -> Option<i64> {
    scaled(seconds, NS_PER_SECOND)
}

/// dateTimeMilliseconds: 152, 153, 160, 323.
pub fn millis_to_ns(milliseconds: u64) -> Option<i64> {
    scaled(milliseconds, 1_000_000)
}

/// Microseconds since 1970, which some exporters send where [`ntp_micros_to_ns`] is due.
pub fn micros_to_ns(microseconds: u64) -> Option<i64> {
    scaled(microseconds, 1_000)
}

fn scaled(value: u64, unit_ns: i64) -> Option<i64> {
    i64::try_from(value).ok()?.checked_mul(unit_ns)
}

/// dateTimeNanoseconds in NTP's format: 156, 157, 325.
///
/// The upper half is seconds since 1900, the lower their fraction. Seconds before 1970 are a field
/// that was never set: nothing.
pub fn ntp_to_ns(timestamp: u64) -> Option<i64> {
    let seconds = (timestamp >> 32).checked_sub(NTP_1970_SECONDS)?;
    let fraction_ns = ((timestamp & 0xffff_ffff) * NS_PER_SECOND.unsigned_abs()) >> 32;
    seconds_to_ns(seconds)?.checked_add_unsigned(fraction_ns)
}

/// dateTimeMicroseconds in NTP's format: 154, 155, 324. The low 11 bits are noise.
pub fn ntp_micros_to_ns(timestamp: u64) -> Option<i64> {
    ntp_to_ns(timestamp & !NTP_BELOW_MICROS)
}

/// flowStartDeltaMicroseconds and flowEndDeltaMicroseconds: 158, 159, counted back from the export time.
pub fn export_delta_to_ns(export_ns: i64, delta_micros: u32) -> i64 {
    export_ns.saturating_sub(i64::from(delta_micros) * 1_000)
}

/// Whether a flow can have been then: not before 2000, and at most a day after its export.
///
/// Exporters fill absolute times with 0 or with their uptime.
pub fn is_plausible_ns(time_ns: i64, export_ns: i64) -> bool {
    time_ns >= PLAUSIBLE_SINCE_NS && time_ns <= export_ns.saturating_add(PLAUSIBLE_AHEAD_NS)
}
