"""The results that bench/scale computes, against numbers calculated by hand."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "bench/scale"))

import figures  # noqa: E402

MIB = 1 << 20


def sample(stored, cpu_s=0.0, written_bytes=0, disk_bytes=0):
    memory = {"rss_bytes": 3 * MIB, "anon_bytes": 2 * MIB}
    return {"stored": stored, "cpu_s": cpu_s, "written_bytes": written_bytes, "disk_bytes": disk_bytes, **memory}


def window(stored, **changed):
    return {
        "stored": stored, "creates_per_s": 1000.0, "p99_ms": 8.0, "longest_ms": 10.0, "cpu_us_a_create": 20.0, "written_to_body": 2.0,
        "disk_bytes_a_message": 500.0, "rss_bytes": 3 * MIB, "anon_bytes": 2 * MIB, **changed,
    }  # fmt: skip


class WindowTest(unittest.TestCase):
    def test_costs_are_those_of_the_creates_between_the_samples(self):
        load = {"requests_per_s": 800.0, "body_bytes": 200.0, "latency_us": {"p99": 2500.0, "max": 40_000.0}}
        after = sample(3000, cpu_s=1.55, written_bytes=1_900_000, disk_bytes=1_500_000)
        found = figures.window_between(sample(1000, cpu_s=1.5, written_bytes=900_000, disk_bytes=7), after, load)
        self.assertAlmostEqual(found.pop("cpu_us_a_create"), 25.0)
        self.assertEqual(found, {
            "stored": 3000, "creates_per_s": 800.0, "p99_ms": 2.5, "longest_ms": 40.0, "written_to_body": 2.5,
            "disk_bytes_a_message": 500.0, "rss_bytes": 3 * MIB, "anon_bytes": 2 * MIB,
        })  # fmt: skip

    def test_halves_are_halves_of_what_is_stored(self):
        windows = [window(stored) for stored in (100, 400, 500, 1000)]
        self.assertEqual(figures.halves(windows), (windows[:3], windows[3:]))

    def test_one_window_is_both_halves(self):
        windows = [window(100)]
        self.assertEqual(figures.halves(windows), (windows, windows))

    def test_two_windows_close_together_are_a_half_each(self):
        windows = [window(900), window(1000)]
        self.assertEqual(figures.halves(windows), (windows[:1], windows[1:]))


class TableTest(unittest.TestCase):
    def test_few_rows_are_all_shown(self):
        self.assertEqual(figures.rows_to_show(list(range(12))), list(range(12)))

    def test_of_many_rows_some_are_shown_with_the_last(self):
        rows = figures.rows_to_show(list(range(40)))
        self.assertEqual(rows, list(range(3, 40, 4)))

    def test_spread_is_median_least_and_most(self):
        self.assertEqual(figures.spread([0.5, 1.25, 0.75]), "0.75 (0.50 .. 1.25)")
        self.assertEqual(figures.spread([10_000.4, 20_000], ",.0f"), "15,000 (10,000 .. 20,000)")

    def assert_is_markdown(self, lines):
        """Checks that the rows of each table have as many cells as its head."""
        cells = None
        for line in lines:
            cells = None if not line.startswith("|") else cells or line.count("|")
            self.assertTrue(cells is None or line.count("|") == cells, line)

    def test_growth(self):
        growth = {
            "windows": [window(100), window(200, longest_ms=30.0, anon_bytes=7 * MIB)],
            "whole": {"cpu_us_a_create": 21.04, "written_to_body": 5.06},
            "comparisons": [{"stored": 200, "pairs": [{"empty": 1000.0, "grown": 900.0}, {"empty": 1000.0, "grown": 700.0}]}],
        }
        lines = list(figures.growth_text(growth))
        self.assert_is_markdown(lines)
        self.assertIn("| 200 | 1,000 (1,000 .. 1,000) | 800 (700 .. 900) | 0.80 (0.70 .. 0.90) |", lines)
        self.assertIn("all creates: 21.0 us of processor time each, 5.1 bytes written for each byte of their bodies", lines)
        self.assertIn("longest stall, windows of the first half: 10.0 (10.0 .. 10.0) ms; of the second: 30.0 (30.0 .. 30.0) ms", lines)
        self.assertIn("most memory, first half: 3 MiB resident, 2 MiB anonymous; second: 3 MiB resident, 7 MiB anonymous", lines)

    def test_memory(self):
        pair = {"few": {"live": 100, "anon_bytes": 1_000_000}, "many": {"live": 1100, "anon_bytes": 2_500_000}}
        lines = list(figures.memory_text({"order_bytes": 400, "pairs": [pair]}))
        self.assert_is_markdown(lines)
        self.assertEqual(lines[-1], "| 1,100 | 1,500 (1,500 .. 1,500) B | 400 B | 1,100 (1,100 .. 1,100) B |")

    def test_start(self):
        starts = [
            {"orders": 10, "replayed_bytes": 1 * MIB, "seconds": 0.2},
            {"orders": 2000, "replayed_bytes": 3 * MIB, "seconds": 0.4},
        ]
        lines = list(figures.start_text({"kill -9": starts}))
        self.assert_is_markdown(lines)
        self.assertEqual(lines[-1], "| kill -9 | 10 .. 2,000 | 3 MiB | 0.30 (0.20 .. 0.40) s |")


if __name__ == "__main__":
    unittest.main()
