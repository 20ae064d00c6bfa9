//! Habits of vendors, with the octets that their devices sent (the corpus) or that a document gives.

use finderscope_flow::Table;
use finderscope_wire::ipfix::{
    FieldSpecifier, ListSemantic, VARIABLE, put_sub_template_multi_list, put_variable_length,
};
use serde_json::{Value, json};

use crate::harness::{Collector, Row, check, field, ipfix, v9};

/// The rows of datagrams from one exporter; none where the corpus is not at hand.
fn corpus(names: &[&str], table: Table) -> Option<Vec<Row>> {
    let folder = crate::corpus::corpus()?;
    let mut collector = Collector::new(Default::default());
    for name in names {
        collector.send(&std::fs::read(folder.join(name)).unwrap());
    }
    Some(collector.rows(table))
}

const fn of(enterprise: u32, element: u16, length: u16) -> FieldSpecifier {
    FieldSpecifier::of_enterprise(enterprise, element, length)
}

#[test]
fn nprobe_counts_the_way_back_where_iana_has_what_comes_out_behind() {
    let mut collector = Collector::new(Default::default());
    collector.send(&v9(0, |encoder| {
        let fields =
            [field(8, 4), field(12, 4), field(1, 4), field(2, 4), field(23, 4), field(24, 4), field(57_591, 4)];
        encoder.template(256, &fields);
        encoder.record(
            256,
            &[10, 0, 0, 1, 10, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 2, 0, 0, 0, 0, 5, b'D', b'N', b'S', 0],
        );
    }));
    let flows = collector.flows();
    let app = ("app", json!("DNS"));
    check(&flows[0], &[("src_addr", json!("10.0.0.1")), ("bytes", json!(256)), ("packets", json!(3)), app.clone()]);
    check(&flows[1], &[("src_addr", json!("10.0.0.2")), ("bytes", json!(512)), ("packets", json!(5)), app]);
    assert_eq!((flows.len(), flows[0].get("post_bytes")), (2, None));
}

#[test]
fn without_elements_of_nprobe_the_same_fields_are_what_iana_says() {
    let mut collector = Collector::new(Default::default());
    collector.send(&v9(0, |encoder| {
        encoder.template(256, &[field(1, 4), field(23, 4)]);
        encoder.record(256, &[0, 0, 1, 0, 0, 0, 2, 0]);
    }));
    check(&collector.flow(), &[("bytes", json!(256)), ("post_bytes", json!(512)), ("biflow", json!(null))]);
}

/// CERT's numbers for the other direction (RFC 5103 section 6.2: a bit of the exporter's own), and their forerunners.
#[test]
fn certs_reverse_elements_are_the_other_rows() {
    for (forward, reverse) in [(14, 16_398), (14, 16), (15, 16_399), (15, 17)] {
        let mut collector = Collector::new(Default::default());
        collector.send(&ipfix(0, |encoder| {
            let fields = [field(85, 4), of(29_305, 85, 4), of(6_871, forward, 1), of(6_871, reverse, 1)];
            encoder.template(256, &fields);
            encoder.record(256, &[0, 0, 0, 9, 0, 0, 0, 8, 0x02, 0x12]);
        }));
        let flows = collector.flows();
        check(&flows[0], &[("bytes", json!(9)), ("tcp_flags", json!(0x02)), ("extra", json!(null))]);
        check(&flows[1], &[("bytes", json!(8)), ("tcp_flags", json!(0x12)), ("extra", json!(null))]);
    }
}

#[test]
fn certs_old_counters_of_the_way_back_count() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &[field(85, 4), field(86, 4), of(6_871, 12, 4), of(6_871, 13, 4)]);
        encoder.record(256, &[0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 2]);
    }));
    let flows = collector.flows();
    check(&flows[1], &[("bytes", json!(8)), ("packets", json!(2)), ("biflow", json!("reverse"))]);
}

/// YAF puts what it knows of TCP and of Ethernet into a list of sub-templates.
#[test]
fn what_yaf_says_in_lists_fills_the_columns_of_both_rows() {
    let mut collector = Collector::new(Default::default());
    let mut list = Vec::new();
    let tcp = [0, 0, 0, 7, 0x02, 0x10, 0x12, 0x08, 0, 0, 0, 9];
    let mac = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    let parts: [(u16, &[u8]); 3] = [(300, &tcp), (301, &mac), (302, &[1])];
    put_sub_template_multi_list(&mut finderscope_wire::Writer::new(&mut list), ListSemantic::AllOf, &parts).unwrap();
    collector.send(&ipfix(0, |encoder| {
        let flags = [of(6_871, 14, 1), of(6_871, 15, 1), of(6_871, 16_398, 1), of(6_871, 16_399, 1)];
        encoder.template(300, &[&[field(184, 4)][..], &flags, &[of(29_305, 184, 4)]].concat());
        encoder.template(301, &[field(56, 6), field(80, 6)]);
        encoder.template(256, &[field(85, 4), of(29_305, 85, 4), field(293, VARIABLE)]);
        encoder.record_with(256, |writer| {
            writer.u32(9).u32(8);
            put_variable_length(writer, &list).unwrap();
        });
    }));
    let flows = collector.flows();
    check(&flows[0], &[("tcp_flags", json!(0x12)), ("tcp_sequence_number", json!(7))]);
    check(&flows[0], &[("src_mac", json!("02:00:00:00:00:01")), ("dst_mac", json!("02:00:00:00:00:02"))]);
    check(&flows[1], &[("tcp_flags", json!(0x1a)), ("tcp_sequence_number", json!(9))]);
    check(&flows[1], &[("src_mac", json!("02:00:00:00:00:02")), ("dst_mac", json!("02:00:00:00:00:01"))]);
    let list: Value = serde_json::from_str(flows[0]["extra"]["subTemplateMultiList"].as_str().unwrap()).unwrap();
    assert_eq!(list["lists"][0]["records"][0]["reverseUnionTCPFlags"], json!(8));
    assert_eq!(list["lists"][2]["octets"], json!("01"));
}

#[test]
fn a_field_of_its_own_comes_before_what_a_list_says() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(300, &[of(6_871, 14, 1), field(1, 1)]);
        encoder.template(256, &[field(6, 1), field(2, 1), field(292, 5)]);
        encoder.record(256, &[0x02, 1, 3, 1, 44, 0x10, 77]);
    }));
    // A count of a part is none of the whole.
    check(&collector.flow(), &[("tcp_flags", json!(2)), ("bytes", json!(null))]);
}

#[test]
fn ixia_has_numbers_of_its_own_for_the_way_back_and_lists_under_them() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(300, &[of(3_054, 198, VARIABLE)]);
        encoder.template(256, &[field(1, 4), of(3_054, 176, 4), of(3_054, 177, 4), of(3_054, 197, 6)]);
        encoder.record(256, &[0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 2, 3, 1, 44, 2, b'a', b'.']);
    }));
    let flows = collector.flows();
    check(&flows[1], &[("bytes", json!(8)), ("packets", json!(2))]);
    let records = r#"{"semantic":"allOf","template":300,"records":[{"ixiaDnsName":"a."}]}"#;
    check(&flows[0], &[("extra", json!({"ixiaDnsRecords": records}))]);
}

/// ixia.pcap of the corpus, record 1: an empty list of HTTP sessions.
#[test]
fn an_ixia_record_of_the_corpus_names_its_lists() {
    let files = ["ipfix/logstash-ipfix_test_ixia_tpldata256.dat"];
    let Some(flows) = corpus(&files, Table::Flows) else { return };
    assert!(flows.iter().any(|flow| flow.get("app").is_some()));
}

/// Barracuda ends a session with totals and no more deltas: the deltas are what counts.
#[test]
fn barracudas_totals_stand_beside_its_deltas() {
    let files = ["ipfix/logstash-ipfix_test_barracuda_tpl.dat", "ipfix/logstash-ipfix_test_barracuda_data256.dat"];
    let Some(flows) = corpus(&files, Table::Flows) else { return };
    check(&flows[0], &[("bytes", json!(0)), ("src_addr", json!("10.99.130.239")), ("dst_port", json!(53))]);
    assert_eq!(
        (&flows[0]["extra"]["octetTotalCount"], &flows[0]["extra"]["firewallEvent"]),
        (&json!("65"), &json!("2"))
    );
}

#[test]
fn nokias_subscriber_translations_are_events() {
    let files = ["ipfix/logstash-ipfix_test_nokia_bras_tpl.dat", "ipfix/logstash-ipfix_test_nokia_bras_data256.dat"];
    let Some(events) = corpus(&files, Table::Events) else { return };
    let extra = json!({
        "aluInsideServiceId": "100", "aluOutsideServiceId": "0", "aluNatSubString": "USER1@10.10.0.123"
    });
    check(&events[0], &[("src_addr", json!("10.0.1.228")), ("flow_id", json!(3_389_049_088_u64)), ("extra", extra)]);
}

#[test]
fn a_translation_with_counters_is_a_flow_and_one_without_an_event() {
    for (counters, table) in [(true, Table::Flows), (false, Table::Events)] {
        let mut collector = Collector::new(Default::default());
        collector.send(&ipfix(0, |encoder| {
            let mut fields = vec![field(8, 4), field(225, 4)];
            fields.extend(counters.then(|| field(1, 4)));
            encoder.template(256, &fields);
            let record = [10, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 5];
            encoder.record(256, if counters { &record } else { &record[..8] });
        }));
        let rows = collector.rows(table);
        check(&rows[0], &[("post_nat_src_addr", json!("192.0.2.1"))]);
    }
}

/// Palo Alto's documents have App-ID as field 56701 and User-ID as 56702.
#[test]
fn palo_alto_names_applications_and_users() {
    let files = [
        "netflow-v9/logstash-netflow9_test_paloalto_panos_tpl.dat",
        "netflow-v9/logstash-netflow9_test_paloalto_panos_data.dat",
    ];
    let Some(flows) = corpus(&files, Table::Flows) else { return };
    check(&flows[0], &[("app", json!("incomplete")), ("src_addr", json!("23.35.171.27")), ("bytes", json!(70))]);
    check(&flows[1], &[("app", json!("ssl"))]);
}

/// FortiOS: APPLICATION_ID with engine 20, and FLOW_FLAGS as field 65.
#[test]
fn fortinet_sends_an_application_and_flags() {
    let files = [
        "netflow-v9/logstash-netflow9_test_fortigate_fortios_542_appid_tpl258-269.dat",
        "netflow-v9/logstash-netflow9_test_fortigate_fortios_542_appid_data258_262.dat",
    ];
    let Some(flows) = corpus(&files, Table::Flows) else { return };
    check(&flows[0], &[("bytes", json!(748)), ("extra", json!({"fortinetFlowFlags": "3148"}))]);
    assert!(flows[0]["app"].as_str().unwrap().starts_with("20:"));
}

#[test]
fn viptela_names_the_vpn() {
    let files = ["ipfix/logstash-ipfix_test_viptela_tpl257.dat", "ipfix/logstash-ipfix_test_viptela_data257.dat"];
    let Some(flows) = corpus(&files, Table::Flows) else { return };
    assert_eq!(flows[0]["extra"]["viptelaVpnId"], json!("100"));
    check(&flows[0], &[("ip_tos", json!(48)), ("bytes", json!(775))]);
}

/// Cisco's performance records have a client and a server, and the server's answer as responder's octets.
#[test]
fn ciscos_clients_and_servers_are_source_and_destination() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        let fields =
            [of(9, 12_236, 4), of(9, 12_237, 4), of(9, 12_241, 2), field(231, 4), field(232, 4), of(9, 9_268, 4)];
        encoder.template(256, &fields);
        encoder.record(256, &[10, 0, 0, 1, 10, 0, 0, 2, 0, 80, 0, 0, 0, 9, 0, 0, 0, 7, 0, 0, 0, 3]);
    }));
    let flows = collector.flows();
    check(&flows[0], &[("src_addr", json!("10.0.0.1")), ("dst_port", json!(80)), ("bytes", json!(9))]);
    check(&flows[0], &[("extra", json!({"artCountRetransmissions": "3"}))]);
    check(&flows[1], &[("src_addr", json!("10.0.0.2")), ("src_port", json!(80)), ("bytes", json!(7))]);
}

/// Streamcore's field types, as Logstash has them: 8192 is a round-trip time.
#[test]
fn streamcores_field_types_have_names() {
    let files = [
        "netflow-v9/logstash-netflow9_test_streamcore_tpl_data256.dat",
        "netflow-v9/logstash-netflow9_test_streamcore_tpl_data260.dat",
    ];
    let Some(flows) = corpus(&files, Table::Flows) else { return };
    check(&flows[0], &[("src_addr", json!("100.78.40.201")), ("bytes", json!(128))]);
    assert!(flows.iter().any(|flow| flow["extra"].get("streamcoreWanRtt").is_some()));
}
