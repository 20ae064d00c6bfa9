"""What is pure here: how peers' words are read, how a rate is found, how ratios become lines."""

import tempfile
import unittest
from pathlib import Path

from bench import ask, collectors, exchange, peers, process, rate, reading, report, sockets, sql, workload

UDP = """\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  121: 0100007F:0807 00000000:0000 07 00000000:00000A00 00:00000000 00000000     0        0 4242 2 0000000000000000 17
  122: 0100007F:0808 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4243 2 0000000000000000 5
"""
METRICS = """\
# HELP goflow2_flow_process_nf_flowset_total sum
goflow2_flow_process_nf_flowset_total{router="127.1.0.1",type="DataFlowSet",version="5"} 92550
goflow2_flow_process_nf_flowset_total{router="127.1.0.2",type="DataFlowSet",version="5"} 1.5e+06
goflow2_flow_process_nf_flowset_records_total{router="127.1.0.1",type="DataFlowSet",version="9"} 7
goflow2_flow_process_nf_flowset_records_total{router="127.1.0.1",type="TemplateFlowSet",version="9"} 100
goflow2_flow_process_sf_samples_total{agent="192.168.0.1",router="127.1.0.1",type="CounterSample",version="5"} 407
goflow2_flow_process_sf_samples_total{agent="192.168.0.1",router="127.1.0.1",type="FlowSample",version="5"} 101
"""


def passed(user=1.0, system=0.5, flows=1_000_000, **changes):
    return {"collector": "nfcapd -y", "flows": flows, "datagrams": 1000, "rate": 100.0, "user": user, "system": system,
            "peak_kb": 1000, "losses": {"kernel": 0}, "stored_bytes": 10, "merging": 0.0, "equal": True,
            "lossless": True} | changes


class Reading(unittest.TestCase):
    def test_drops_and_queues_are_those_of_the_port(self):
        self.assertEqual(sockets.parse(UDP, 0x0807), [(0xA00, 17)])
        self.assertEqual(sockets.parse(UDP, 0x0808), [(0, 5)])
        self.assertEqual(sockets.parse(UDP, 0x0809), [])

    def test_goflow2_counts_flows_under_another_name_for_each_protocol(self):
        for kind, flows in (("v5", 1_592_550), ("v9", 7), ("ipfix", 7), ("sflow", 101)):
            self.assertEqual(collectors.goflow2_flows(METRICS, kind), flows)

    def test_nfdump_says_its_totals_in_the_summary(self):
        text = "Top 1 …\nSummary: total flows: 200000, total bytes: 5, total packets: 7, avg bps: 1\nTime window: …"
        self.assertEqual(collectors.parse_nfdump_totals(text), {"flows": 200_000, "bytes": 5, "packets": 7})
        with self.assertRaises(process.Failed):
            collectors.parse_nfdump_totals("No matched flows")

    def test_the_sender_says_how_many_and_how_fast(self):
        old = exchange.SENT.search("33334 datagrams, 48 bytes sent to udp://127.0.0.1:9, 0 errors")
        self.assertEqual(old.groups(), ("33334", "48", None, None, "0"))
        new = exchange.SENT.search("7 datagrams, 48 bytes sent to udp://127.0.0.1:9 in 0.500 s, 14 a second, 2 errors")
        self.assertEqual(new.groups(), ("7", "48", "0.500", "14", "2"))

    def test_rankings_of_both_sides_are_the_same_shape(self):
        ours = '{"src_addr":"10.0.0.1","flows":2,"packets":1,"bytes":9}\n'
        theirs = "2026-01-01 00:00:31,2026-01-02 00:06:40,1.0,any,10.0.0.1,2,0.1,1,0.1,9,0.1,11,33982,379\n"
        self.assertEqual(ask.ranking(ours), ask.statistic(theirs))
        pair = ",".join(["a", "b", "c", "10.0.0.1", "2001:db8::1", *"56789", "x", "177", "42", *"0" * 20])
        self.assertEqual(ask.aggregate(pair), [(("10.0.0.1", "2001:db8::1"), 42)])

    def test_answers_differ_in_anything_but_the_last_digits_of_an_average(self):
        self.assertTrue(sql.alike([["tcp", 1.0]], [["tcp", 1.0 + 1e-12]]))
        self.assertFalse(sql.alike([["tcp", 10**18]], [["tcp", 10**18 + 1]]))
        self.assertFalse(sql.alike([["tcp"]], []))

    def test_versions_are_found_among_other_words(self):
        self.assertEqual(peers.number(["nfdump: Version: NSEL-NEL1.7.1"]), "NSEL-NEL1.7.1")
        self.assertEqual(peers.number(["NetFlow Accounting Daemon, nfacctd 1.7.7-git [RELEASE]"]), "1.7.7-git")
        self.assertEqual(peers.number(["nothing"]), "unknown")


class Captures(unittest.TestCase):
    def test_datagrams_are_counted_without_reading_them(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "w.pcap"
            frame = bytes(8) + (3).to_bytes(4, "little") * 2 + b"abc"
            path.write_bytes(bytes(24) + frame * 5)
            self.assertEqual(workload.count_datagrams(path), 5)

    def test_loops_multiply_the_totals_scaled_or_not(self):
        taken = workload.Capture("v5", Path("w"), 10, 2, {"flows": 10, "bytes": 3, "packets": 2, "bytes_scaled": 300,
                                                          "packets_scaled": 200})
        self.assertEqual(taken.expected(2, False), {"flows": 20, "bytes": 6, "packets": 4})
        self.assertEqual(taken.expected(2, True), {"flows": 20, "bytes": 600, "packets": 400})


class Ratios(unittest.TestCase):
    def test_a_ratio_is_of_the_processors_time_without_merging(self):
        row = reading.ratio("v5", "nfcapd -y", 2, [passed(user=0.6, merging=0.6)] * 3, [passed()] * 3)
        self.assertAlmostEqual(row.reached, 3.0)
        self.assertTrue(row.holds())

    def test_unequal_work_has_no_ratio(self):
        for fault in ({"equal": False}, {"lossless": False}):
            row = reading.ratio("v5", "nfcapd -y", 2, [passed(), passed(**fault)], [passed()])
            self.assertIsNone(row.reached)
            self.assertIn("not equal", row.figures)

    def test_at_most_and_at_least_are_told_apart(self):
        self.assertTrue(reading.Row("", "", "most", 0.4, 0.39, "").holds())
        self.assertFalse(reading.Row("", "", "least", 20, 19.9, "").holds())

    def test_the_middle_round_counts(self):
        found = reading.rates([{"rate": rate, "ceiling": 9.0, "at_ceiling": rate > 1} for rate in (5.0, 1.0, 3.0)])
        self.assertEqual(found, (3.0, 9.0, False))

    def test_the_highest_rate_is_found_between_what_was_held_and_what_was_not(self):
        found = rate.bisect(lambda wanted: (wanted, wanted <= 700.0), 1000.0, 8)
        self.assertAlmostEqual(found, 700, delta=5)
        self.assertEqual(rate.bisect(lambda wanted: (wanted, False), 1000.0, 8), 0.0)

    def test_a_report_of_nothing_and_of_one_row_can_be_written(self):
        self.assertIn("What is not equal", report.render({"rows": {}}))
        entry = {"result": {"rate": 1, "seconds": 1, "finderscope": [passed()], "nfcapd": [passed()], "nfacctd": [passed()]},
                 "quick": True, "binary": "x", "load": [9.0, 9.0, 9.0]}
        text = report.render({"rows": {"memory": entry, "ask": {"failed": "no nfdump\nmore"}}})
        self.assertIn("| resident memory at 0.1 M flows/s |", text)
        self.assertIn("`ask` could not be measured: no nfdump", text)
        self.assertIn("not for quoting", text)


class Processes(unittest.TestCase):
    def test_the_time_of_what_a_command_left_behind_counts(self):
        process.become_subreaper()
        with tempfile.TemporaryDirectory() as folder:
            burn = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
            running = process.Process(["sh", "-c", f"({burn}) & exit 3"], Path(folder) / "log")
            usage = running.wait(60)
        self.assertEqual(usage.status, 3)
        self.assertGreater(usage.cpu, 0.01)

    def test_what_does_not_end_is_killed(self):
        with tempfile.TemporaryDirectory() as folder:
            running = process.Process(["sleep", "60"], Path(folder) / "log")
            self.assertEqual(running.wait(0.05).status, -9)


class Rounds(unittest.TestCase):
    def test_the_order_turns_round_every_time(self):
        order = []
        makers = [lambda name=name: order.append(name) for name in "ab"]
        exchange.pairwise(3, *makers)
        self.assertEqual("".join(order), "abbaab")

    def test_one_core_is_shared_and_said(self):
        facts = {"date": "", "cores": 1, "processor": "", "memory_gb": 1, "system": "", "kernel": "", "rmem_max": 0,
                 "memory_copy_gb_s": 1, "versions": {}, "one_core": True}
        self.assertIn("only core", "\n".join(report.machine(facts)))


if __name__ == "__main__":
    unittest.main()
