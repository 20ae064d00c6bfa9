use finderscope_wire::ipfix::{
    export_delta_to_ns, float, is_plausible_ns, micros_to_ns, millis_to_ns, ntp_micros_to_ns, ntp_to_ns, seconds_to_ns,
    signed, unsigned,
};
use proptest::prelude::*;

#[test]
fn integers_of_every_length_are_read() {
    proptest!(|(value: u64, length in 1..=8_usize)| {
        let bytes = &value.to_be_bytes()[8 - length..];
        let shift = 64 - 8 * length;
        prop_assert_eq!(unsigned(bytes), Some(value << shift >> shift));
        prop_assert_eq!(signed(bytes), Some((value as i64) << shift >> shift));
    });
}

#[test]
fn integers_without_bytes_or_with_more_than_eight_are_none() {
    assert_eq!((unsigned(&[]), unsigned(&[0; 9]), signed(&[]), signed(&[0; 9])), (None, None, None, None));
}

#[test]
fn counters_near_the_end_of_64_bits_and_of_one_byte_are_read() {
    assert_eq!(unsigned(&[0xff; 8]), Some(u64::MAX));
    assert_eq!((unsigned(&[0xff]), signed(&[0xff]), signed(&[0x80, 0, 0])), (Some(255), Some(-1), Some(-8_388_608)));
}

#[test]
fn floats_are_four_or_eight_bytes() {
    assert_eq!((float(&1.5_f32.to_be_bytes()), float(&(-2.25_f64).to_be_bytes())), (Some(1.5), Some(-2.25)));
    assert_eq!((float(&[]), float(&[0; 3]), float(&[0; 5])), (None, None, None));
}

/// 2024-01-01 in NTP's seconds.
const NTP_2024: u64 = 3_913_056_000;
const NS_2024: i64 = 1_704_067_200_000_000_000;

#[test]
fn ntp_timestamps_count_from_1900_with_a_binary_fraction() {
    assert_eq!(ntp_to_ns(NTP_2024 << 32), Some(NS_2024));
    assert_eq!(ntp_to_ns(NTP_2024 << 32 | 1 << 31), Some(NS_2024 + 500_000_000));
    assert_eq!(ntp_to_ns(NTP_2024 << 32 | 0xffff_ffff), Some(NS_2024 + 999_999_999));
}

#[test]
fn microseconds_ignore_the_low_eleven_bits() {
    assert_eq!(ntp_micros_to_ns(NTP_2024 << 32 | 1 << 31 | 0x7ff), ntp_to_ns(NTP_2024 << 32 | 1 << 31));
}

#[test]
fn ntp_seconds_before_1970_are_unset() {
    assert_eq!((ntp_to_ns(0), ntp_to_ns(2_208_988_799 << 32), ntp_micros_to_ns(1)), (None, None, None));
    assert_eq!(ntp_to_ns(2_208_988_800 << 32), Some(0));
}

#[test]
fn absolute_times_beyond_what_fits_are_none() {
    assert_eq!(
        (seconds_to_ns(2), millis_to_ns(2), micros_to_ns(2)),
        (Some(2_000_000_000), Some(2_000_000), Some(2_000))
    );
    assert_eq!((seconds_to_ns(u64::MAX), millis_to_ns(u64::MAX / 2), micros_to_ns(u64::MAX)), (None, None, None));
    assert!(ntp_to_ns(u64::MAX).is_some());
}

#[test]
fn deltas_count_back_from_the_export_time() {
    assert_eq!(export_delta_to_ns(NS_2024, 1_500), NS_2024 - 1_500_000);
    assert_eq!(export_delta_to_ns(i64::MIN, 1), i64::MIN);
}

#[test]
fn a_time_before_2000_or_over_a_day_ahead_is_not_plausible() {
    let day = 86_400_000_000_000;
    assert!(is_plausible_ns(NS_2024, NS_2024) && is_plausible_ns(NS_2024 + day, NS_2024));
    assert!(!is_plausible_ns(NS_2024 + day + 1, NS_2024));
    assert!(!is_plausible_ns(0, NS_2024) && !is_plausible_ns(946_684_799_999_999_999, NS_2024));
}
