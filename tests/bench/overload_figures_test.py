"""The results that bench/overload.py computes, against numbers calculated by hand."""

import sys
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "bench"))

import overload_figures as figures  # noqa: E402

METRICS = """# TYPE ordem_http_refusal_seconds histogram
ordem_http_refusal_seconds_count 200
ordem_http_refusal_seconds_bucket{le="1e-05"} 100
ordem_http_refusal_seconds_bucket{le="0.001"} 199
ordem_http_refusal_seconds_bucket{le="0.01"} 200
ordem_http_refusal_seconds_bucket{le="+Inf"} 200
ordem_http_response_seconds_bucket{le="0.001"} 7
"""


def phase(length_s, due, not_sent, refused, answered, p99_us):
    latency = {"p50": p99_us / 2, "p99": p99_us}
    return {
        "length_s": length_s, "due": due, "not_sent": not_sent, "accepted": due - not_sent - refused, "refused": refused,
        "answered": answered, "accepted_since_due_us": {"p50": p99_us, "p99": 2 * p99_us}, "accepted_since_sent_us": latency,
        "refused_since_sent_us": latency,
    }  # fmt: skip


def slot(p99_us, due=100, refused=0, not_sent=0):
    return {"due": due, "not_sent": not_sent, "refused": refused, "answered": due - refused - not_sent, "p50_us": 1, "p99_us": p99_us}


def measured(after=(slot(900),), **changed):
    """Half a second before the surge, half a second of it, and what follows."""
    slots = [slot(500), slot(1000), slot(3000, due=600, refused=100, not_sent=300), slot(3000, due=600, refused=100, not_sent=300), *after]
    phases = {
        "before": phase(0.5, 200, 0, 0, 200, 1000.0), "during": phase(0.5, 1200, 600, 200, 380, 2500.0),
        "after": phase(0.25 * len(after), 100, 0, 0, 100, 900.0),
    }  # fmt: skip
    opened = {"surge": {"slot_s": 0.25, "slots": slots, "phases": phases}}
    return {"peaks_before": [700.0, 900.0], "peaks_after": [800.0, 820.0, 780.0], "open": opened, "metrics": METRICS, **changed}


class SummaryTest(unittest.TestCase):
    def test_ratios(self):
        found = figures.summary(measured())
        self.assertEqual(found["peak_per_s"], 800.0)  # the median of all
        self.assertEqual(found["phases"]["during"]["goodput_per_s"], 760.0)
        self.assertAlmostEqual(found["goodput_to_peak"], 0.95)
        self.assertEqual(found["p99_to_half"], 2.5)
        self.assertEqual(found["phases"]["during"]["due_per_s"], 2400.0)
        self.assertEqual(found["phases"]["during"]["sent_per_s"], 1200.0)
        self.assertEqual(found["phases"]["during"]["refused_per_s"], 400.0)
        self.assertEqual(found["recovery_s"], 0.25)

    def test_time_of_refusals_is_that_of_the_server(self):
        found = figures.summary(measured())
        self.assertEqual(found["refusals_within_1_ms"], 0.995)
        self.assertEqual(found["refusal_p99_bound_ms"], 1.0)

    def test_without_refusals_there_is_no_time_of_them(self):
        found = figures.summary(measured(metrics='ordem_http_refusal_seconds_bucket{le="0.001"} 0\n'))
        self.assertIsNone(found["refusals_within_1_ms"])
        self.assertIn("no refusals", "\n".join(figures.report(measured(metrics=""))))

    def test_normal_is_the_first_slot_without_refusals_whose_p99_was_usual(self):
        for after, expected in (
            ([slot(1001), slot(1000)], 0.5),
            ([slot(900, refused=2), slot(900, not_sent=2), slot(900, refused=1)], 0.75),
            ([slot(2000), slot(2000)], None),
        ):
            with self.subTest(after=after):
                self.assertEqual(figures.summary(measured(after))["recovery_s"], expected)


class ReportTest(unittest.TestCase):
    def test_tables_have_as_many_cells_in_each_row_as_in_their_head(self):
        cells = None
        for line in figures.report(measured()):
            cells = None if not line.startswith("|") else cells or line.count("|")
            self.assertTrue(cells is None or line.count("|") == cells, line)

    def test_aims_are_met_or_missed(self):
        text = "\n".join(figures.report(measured()))
        self.assertIn("| goodput in the surge, of the peak | 0.95 | 0.90 | met |", text)
        self.assertIn("| p99 of what was accepted, to that at half the peak | 2.5 (2.5 ms, 1.0 ms) | 3 | met |", text)
        self.assertIn("| 1 ms, 99.50 % | 1 ms | met |", text)
        self.assertIn("| back to normal after | 0.25 s | 1 s | met |", text)
        slow = measured([slot(2000)], peaks_before=[2000.0], peaks_after=[2000.0])
        self.assertIn("| 0.38 | 0.90 | missed |", "\n".join(figures.report(slow)))
        self.assertIn("| not within the run | 1 s | missed |", "\n".join(figures.report(slow)))


class PlotTest(unittest.TestCase):
    def test_it_is_well_formed_and_shows_every_slot(self):
        root = xml.fromstring(figures.overload_plot(measured()))
        lines = root.findall(".//{http://www.w3.org/2000/svg}polyline")
        self.assertEqual([len(line.attrib["points"].split()) for line in lines], [5, 5, 2, 5])


if __name__ == "__main__":
    unittest.main()
