"""The page of bench/report.py: complete, well-formed, and consistent with its results."""

import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from html.parser import HTMLParser
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent.parent / "bench"
sys.path.insert(0, str(BENCH))

import plots  # noqa: E402
import report  # noqa: E402


def figures(**changed):
    latency = {"samples": 1000, "p50": 1500.0, "p90": 2000.0, "p99": 3000.0, "p99_9": 4000.0, "p99_99": 4500.0, "max": 4500.0}
    return {
        "scenario": "create", "loop": "closed", "notes": {"durability": "fsync"}, "connections": 8, "threads": 1,
        "duration_s": 2.5, "warmup_s": 1.0, "body_bytes": 160.0, "answer_body_bytes_mean": 370.0, "requests": 1000,
        "requests_per_s": 400.0, "stale": 0, "key_hit_share": 0.0, "errors": {"total": 0}, "latency_us": latency,
        "by_kind": {"create": {"requests": 1000, "latency_us": latency}},
        "by_second": {"requests": [400, 400, 200], "latency_max_us": [1.0, 1.0, 1.0]},
        "histogram_ns": [[1_500_000, 500], [2_000_000, 400], [4_500_000, 100]],
        "generator_cpu_s": 0.5, "generator_busiest_thread_cpu_s": 0.5, "cores": 2, "shares_machine": True, **changed,
    }  # fmt: skip


def open_figures(**changed):
    arrivals = {"pattern": "poisson", "rate_per_s": 400.0}
    late = {"requests": 7, "longest_us": 100.0, "queue_max": 5, "never_sent": 3}
    return figures(loop="open", arrivals=arrivals, late=late, **changed)


def page_of(*all_figures):
    return "\n".join(report.page([report.Result(f"run-{n}", each) for n, each in enumerate(all_figures)]))


class Tags(HTMLParser):
    """Fails on an element that is not closed."""

    VOID = {"meta"}

    def __init__(self, page):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(page)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


class PageTest(unittest.TestCase):
    def test_it_is_whole_and_loads_nothing(self):
        page = page_of(figures(), open_figures())
        seen = Tags(page).seen
        for loading in ("script", "link", "img", "iframe"):
            self.assertNotIn(loading, seen)
        self.assertNotRegex(page, r"https?:|url\(|@import|src=")

    def test_there_is_a_line_for_each_result_in_each_plot(self):
        svgs = [xml.fromstring(text) for text in re.findall(r"<svg viewBox=\"0 0 860.*?</svg>", page_of(figures(), open_figures()), re.S)]
        self.assertEqual([len(svg.findall("polyline")) for svg in svgs], [2, 2])
        self.assertEqual(len(svgs[0].findall("circle")), 6)

    def test_points_stay_within_the_plot(self):
        for line in re.findall(r'polyline points="([^"]*)"', page_of(figures(), open_figures())):
            for x, y in (map(float, point.split(",")) for point in line.split()):
                self.assertTrue(plots.LEFT <= x <= plots.WIDTH - plots.RIGHT, x)
                self.assertTrue(plots.TOP <= y <= plots.HEIGHT - plots.BOTTOM, y)

    def test_a_short_last_second_counts_by_its_length(self):
        self.assertEqual(list(report.Result("x", figures()).seconds()), [(0.5, 400), (1.5, 400), (2.25, 400)])

    def test_the_percentile_line_is_that_of_the_histogram(self):
        line = list(report.Result("x", figures()).percentile_line())
        self.assertEqual(line[:4], [(0, 1.5), (0.5, 1.5), (0.5, 2.0), (0.9, 2.0)])
        self.assertEqual(line[-1], (0.999, 4.5))

    def test_each_nine_takes_as_much_room(self):
        axis = plots.nines_axis(100_000)
        places = [plots.x_pixel(axis, share) for share in (0.9, 0.99, 0.999, 0.9999)]
        steps = [after - before for before, after in zip(places, places[1:])]
        self.assertAlmostEqual(min(steps), max(steps), places=3)
        self.assertEqual([label for _, label in axis.ticks], ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"])

    def test_what_makes_figures_doubtful_is_said(self):
        self.assertNotIn('class="warning"', page_of(figures()))
        self.assertIn("2 errors: the figures are of no use", page_of(figures(errors={"total": 2})))
        self.assertIn("3 requests were never sent", page_of(open_figures()))
        self.assertIn("it may be what was slow", page_of(figures(generator_busiest_thread_cpu_s=2.4)))

    def test_texts_are_escaped(self):
        page = page_of(figures(notes={"disk": "<b>&"}))
        self.assertNotIn("<b>", page)
        self.assertIn("&lt;b&gt;&amp;", page)

    def test_a_run_without_answers_has_a_page(self):
        nothing = dict.fromkeys(figures()["latency_us"], 0)
        page = page_of(figures(requests=0, requests_per_s=0, latency_us=nothing, by_kind={}, histogram_ns=[], by_second={"requests": [0, 0, 0]}))
        self.assertIn("No latencies.", page)

    def test_other_files_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "other.json").write_text('{"scenario":"fsync"}\n', encoding="utf-8")
            ended = subprocess.run(
                [sys.executable, BENCH / "report.py", "other.json", "-o", "page.html"],
                cwd=folder, capture_output=True, text=True, check=False,
            )  # fmt: skip
            self.assertNotEqual(ended.returncode, 0)
            self.assertIn("no result of ordem-load", ended.stderr)


if __name__ == "__main__":
    unittest.main()
