use std::net::IpAddr;

use super::*;
use crate::Network;

fn told(elements: &[(u16, u64)]) -> Told {
    let mut told = Told::default();
    for &(element, value) in elements {
        told.element(element, &value.to_be_bytes());
    }
    told
}

fn lookup<'a>(own: &'a Samplers, wide: &'a Samplers, config: Option<&'a ExporterConfig>) -> Lookup<'a> {
    Lookup { own, wide, template: 256, config }
}

fn selector(id: u64) -> Clues {
    Clues { selector: Some(id), ..Clues::default() }
}

#[test]
fn rates_come_from_every_way_of_saying_them() {
    for (elements, rate) in [
        (&[(34, 100), (35, 2)][..], Some(100)),
        (&[(48, 1), (49, 2), (50, 1000)], Some(1000)),
        (&[(302, 1), (304, 1), (305, 1), (306, 99)], Some(100)),
        (&[(305, 2), (306, 98)], Some(50)),
        (&[(305, 3), (306, 10)], Some(4)),
        (&[(304, 2), (307, 1_000), (308, 9_000)], Some(10)),
        (&[(309, 10), (310, 5120)], Some(512)),
        (&[(304, 4), (311, 0.01_f64.to_bits())], Some(100)),
        (&[(311, 0)], None),
        (&[(311, 2.0_f64.to_bits())], None),
        (&[(304, 6), (329, 0), (330, 65_535), (331, 0), (332, 255)], Some(256)),
        (&[(329, 0), (330, u64::MAX), (331, 9), (332, 3)], None),
        (&[(34, 0)], Some(1)),
        (&[(305, 0), (306, 9)], Some(1)),
        (&[(304, 1)], None),
    ] {
        assert_eq!(told(elements).rate(), rate, "{elements:?}");
    }
    let mut short = Told::default();
    short.element(311, &0.125_f32.to_be_bytes());
    assert_eq!(short.rate(), Some(8));
}

#[test]
fn an_override_wins_then_the_selector_then_the_domain_then_what_is_assumed() {
    let mut config = ExporterConfig::new(Network::host(IpAddr::from([10, 0, 0, 1])));
    let (mut own, wide) = (Samplers::default(), Samplers::default());
    let rate = |own: &Samplers, config: &ExporterConfig, clues| lookup(own, &wide, Some(config)).rate(&clues);
    assert_eq!(rate(&own, &config, selector(3)), None);
    config.assumed_sampling_rate = Some(7);
    assert_eq!(rate(&own, &config, selector(3)), Some((7, SamplingSource::Assumed)));
    own.learn(&told(&[(34, 100)]), true);
    assert_eq!(rate(&own, &config, selector(3)), Some((100, SamplingSource::Options)));
    own.learn(&told(&[(302, 3), (305, 1), (306, 9)]), true);
    assert_eq!(rate(&own, &config, selector(3)), Some((10, SamplingSource::Options)));
    assert_eq!(rate(&own, &config, selector(4)), Some((100, SamplingSource::Options)));
    config.sampling_rate = Some(2);
    assert_eq!(rate(&own, &config, selector(3)), Some((2, SamplingSource::Override)));
    assert_eq!(rate(&own, &config, Clues::default()), Some((2, SamplingSource::Override)));
}

#[test]
fn an_interfaces_rate_is_for_its_flows_alone_and_a_templates_for_its_own() {
    let (mut own, wide) = (Samplers::default(), Samplers::default());
    own.learn(&told(&[(10, 5), (34, 100)]), true);
    own.learn(&told(&[(14, 6), (34, 200)]), true);
    own.learn(&told(&[(145, 256), (34, 300)]), true);
    let rate = |template, interfaces| {
        let lookup = Lookup { template, ..lookup(&own, &wide, None) };
        lookup.rate(&Clues { interfaces, ..Clues::default() }).map(|(rate, _)| rate)
    };
    assert_eq!(rate(257, [Some(5), Some(6)]), Some(100));
    assert_eq!(rate(257, [Some(4), Some(6)]), Some(200));
    assert_eq!(rate(257, [Some(4), None]), None);
    assert_eq!(rate(256, [Some(4), None]), Some(300));
    assert_eq!(rate(256, [Some(5), None]), Some(100));
}

#[test]
fn what_was_told_for_the_whole_exporter_is_asked_last() {
    let (mut own, mut wide) = (Samplers::default(), Samplers::default());
    wide.learn(&told(&[(34, 1000)]), true);
    wide.learn(&told(&[(48, 2), (50, 20)]), true);
    assert_eq!(lookup(&own, &wide, None).rate(&selector(2)), Some((20, SamplingSource::Options)));
    assert_eq!(lookup(&own, &wide, None).rate(&selector(3)), Some((1000, SamplingSource::Options)));
    own.learn(&told(&[(34, 10)]), true);
    assert_eq!(lookup(&own, &wide, None).rate(&selector(3)), Some((10, SamplingSource::Options)));
}

#[test]
fn a_selection_sequence_multiplies_its_selectors() {
    let (mut own, wide) = (Samplers::default(), Samplers::default());
    own.learn(&told(&[(302, 1), (305, 1), (306, 9)]), true);
    own.learn(&told(&[(302, 2), (309, 1), (310, 4)]), true);
    own.learn(&told(&[(301, 77), (302, 1), (302, 9), (302, 2)]), true);
    let sequence = |id| Clues { sequence: Some(id), ..Clues::default() };
    assert_eq!(lookup(&own, &wide, None).rate(&sequence(77)), Some((40, SamplingSource::Options)));
    assert_eq!(lookup(&own, &wide, None).rate(&sequence(78)), None);
}

#[test]
fn a_rate_of_one_is_known_to_be_unsampled() {
    let (mut own, wide) = (Samplers::default(), Samplers::default());
    own.learn(&told(&[(34, 1)]), true);
    assert_eq!(lookup(&own, &wide, None).rate(&Clues::default()), Some((1, SamplingSource::None)));
}

#[test]
fn without_room_only_what_is_known_is_learned_again() {
    let mut samplers = Samplers::default();
    assert!(samplers.learn(&told(&[(48, 1), (50, 10)]), true));
    assert!(!samplers.learn(&told(&[(48, 2), (50, 10)]), false));
    assert!(!samplers.learn(&told(&[(10, 2), (34, 10)]), false));
    assert!(!samplers.learn(&told(&[(301, 2), (302, 1)]), false));
    assert!(samplers.learn(&told(&[(48, 1), (50, 20)]), false));
    assert!(samplers.learn(&told(&[(34, 5)]), false));
    assert_eq!(samplers.iter().collect::<Vec<_>>(), [(About::All, 5), (About::Selector(1), 20)]);
    assert_eq!(samplers.len(), 1);
}
