//! Tops and series: what they rank, and that they add up.

use finderscope_flow::{Column, Table};
use finderscope_query::{
    Bin, Database, Error, Filter, Key, Measure, SeriesQuestion, TopQuestion, Warning, Window, columns_by_alias, ranking,
};

use crate::common::{Row, SECOND, T0, lines, memory, read};

fn keys(columns: &[Column]) -> Vec<Key> {
    columns.iter().copied().map(Key::Column).collect()
}

fn question(columns: &[Column]) -> TopQuestion {
    TopQuestion { columns: keys(columns), by: Measure::Bytes, count: 10, filter: None, window: Window::ALL }
}

fn flows() -> Database {
    let hosts = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
    let row = |n: usize| Row {
        src: Some(hosts[n % 3]),
        dst: if n == 0 { None } else { Some("192.0.2.1") },
        exporter: if n.is_multiple_of(2) { "192.0.2.1" } else { "192.0.2.2" },
        bytes: n as u64,
        packets: 1,
        rate: [Some(1), Some(10), None][n % 3],
        received_s: n as i64,
        ..Row::default()
    };
    memory(&(0..300).map(row).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_top_ranks_by_scaled_volumes() {
    let top = flows().top(&question(&[Column::SrcAddr])).await.unwrap();
    assert_eq!(lines(&top.rows), ["10.0.0.2 100 1000 149500", "10.0.0.3 100 100 15050", "10.0.0.1 100 100 14850"]);
    let names: Vec<_> = top.rows.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["src_addr", "flows", "packets_scaled", "bytes_scaled"]);
    let by_flows = TopQuestion { by: Measure::Flows, count: 2, ..question(&[Column::SrcAddr]) };
    let top = flows().top(&by_flows).await.unwrap();
    assert_eq!(lines(&top.rows), ["10.0.0.1 100 100 14850", "10.0.0.2 100 1000 149500"]);
}

#[tokio::test]
async fn a_summary_is_of_all_rows_and_not_only_the_largest() {
    let one = TopQuestion { count: 1, ..question(&[Column::SrcAddr]) };
    let top = flows().top(&one).await.unwrap();
    let summary = top.summary;
    assert_eq!((summary.flows, summary.bytes, summary.packets), (300, 44850, 300));
    assert_eq!((summary.bytes_scaled, summary.packets_scaled), (179_400, 1200));
    assert_eq!((summary.flows_sampled, summary.bytes_assumed), (100, 15050));
    assert_eq!((summary.first_ns, summary.last_ns), (Some(T0), Some(T0 + 299 * SECOND)));
    assert_eq!(summary.span_ns, 299 * SECOND as u64);
    assert!((summary.bits_per_second() - 179_400.0 * 8.0 / 299.0).abs() < 1e-9);
    assert!((summary.assumed_share() - 15050.0 / 179_400.0).abs() < 1e-12);
    assert_eq!(top.warnings, [Warning::NotDeduplicated { exporters: 2 }]);
    assert_eq!(top.warnings[0].to_string(), "2 exporters, not deduplicated");
}

#[tokio::test]
async fn groups_of_a_top_add_up_to_its_summary() {
    for columns in [
        &[Column::SrcAddr][..],
        &[Column::SrcAddr, Column::DstAddr],
        &[Column::Proto],
        &[Column::DstAddr, Column::Bytes],
    ] {
        let all = TopQuestion { count: 1_000_000, ..question(columns) };
        let top = flows().top(&all).await.unwrap();
        let column = |from_end: usize| -> u64 {
            lines(&top.rows).iter().map(|line| line.rsplit(' ').nth(from_end).unwrap().parse::<u64>().unwrap()).sum()
        };
        let summary = top.summary;
        assert_eq!((column(2), column(1), column(0)), (summary.flows, summary.packets_scaled, summary.bytes_scaled));
    }
}

#[tokio::test]
async fn a_filter_and_a_window_bound_rows_and_summary_alike() {
    let window = Window { since_ns: Some(T0), until_ns: Some(T0 + 10 * SECOND), ..Window::ALL };
    let filter = Some(Filter::parse("exporter 192.0.2.1").unwrap());
    let top = flows().top(&TopQuestion { filter, window, ..question(&[Column::ExporterAddress]) }).await.unwrap();
    assert_eq!(lines(&top.rows), ["192.0.2.1 5 14 56"]);
    assert_eq!((top.summary.flows, top.summary.exporters), (5, 1));
    assert_eq!(top.summary.span_ns, 10 * SECOND as u64);
    assert_eq!(top.warnings, []);
}

#[tokio::test]
async fn a_top_of_nothing_is_empty() {
    let filter = Some(Filter::parse("port 9").unwrap());
    let top = flows().top(&TopQuestion { filter, ..question(&[Column::SrcAddr]) }).await.unwrap();
    assert_eq!((top.rows.num_rows(), top.summary.flows, top.summary.first_ns), (0, 0, None));
    assert_eq!(top.summary.bits_per_second(), 0.0);
}

#[tokio::test]
async fn a_series_adds_up_to_the_totals() {
    let series = |by| SeriesQuestion { bin: Bin::MINUTE, by, filter: None, window: Window::ALL };
    let (rows, _) = read(flows().series(&series(None)).await.unwrap()).await.unwrap();
    // The first flow ended as the first minute began: its volume lies in the minute before.
    assert_eq!(rows.len(), 6);
    assert!(rows[0].starts_with("2025-12-31T23:59:00Z 0 "), "{}", rows[0]);
    assert!(rows[1].starts_with("2026-01-01T00:00:00Z 60 "), "{}", rows[1]);
    let sum =
        |rows: &[String]| rows.iter().map(|row| row.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!(sum(&rows), 179_400);
    let (rows, _) = read(flows().series(&series(Some(Column::SrcAddr.into()))).await.unwrap()).await.unwrap();
    assert_eq!((rows.len(), sum(&rows)), (16, 179_400));
}

#[test]
fn columns_have_nfdumps_names_too() {
    assert_eq!(ranking("srcip/packets", &[]).unwrap(), (keys(&[Column::SrcAddr]), Some(Measure::Packets)));
    assert_eq!(ranking("src_addr, dstport", &[]).unwrap(), (keys(&[Column::SrcAddr, Column::DstPort]), None));
    assert_eq!(columns_by_alias("proto", &[]).unwrap(), [Key::Column(Column::Proto)]);
    assert!(matches!(ranking("srcip/beauty", &[]), Err(Error::Literal { .. })));
    assert_eq!(ranking("srcpi", &[]).unwrap_err().to_string(), "no column srcpi; the nearest are srcip, srcas");
    assert!(Column::SrcAddr.is_in(Table::Flows));
}
