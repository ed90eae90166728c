"""scripts/bench compare: parsing the output of the load programs, the results computed from it, and the order of the measurements."""

import argparse
import contextlib
import io
import json
import sys
import time
import unittest
from pathlib import Path

COMPARE = Path(__file__).resolve().parent.parent.parent / "bench/compare"
sys.path.insert(0, str(COMPARE))

import compare  # noqa: E402
import figures  # noqa: E402
import programs  # noqa: E402
import tables  # noqa: E402
from figures import Figures  # noqa: E402

PGBENCH = """scaling factor: 1
number of transactions actually processed: 5000
number of failed transactions: 0 (0.000%)
latency average = 4.000 ms
tps = 2500.500000 (without initial connection time)
"""

WRK = """Running 4s test @ http://127.0.0.1:8080
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.75ms    1.02ms  24.31ms   94.31%
    Req/Sec    37.83k     2.11k   41.22k    75.00%
  200000 requests in 4.00s, 114.51MB read
Requests/sec:  50000.25
Transfer/sec:     28.63MB
Responses checked: 200000, wrong: 0
"""


def ordem_load_output(**changed):
    return {
        "scenario": "create", "loop": "closed", "connections": 64, "duration_s": 2.0, "requests": 1000, "requests_per_s": 500.0, "stale": 0,
        "orders": 1000, "orders_per_s": 500.0,
        "latency_us": {"p50": 1500.0, "p90": 2000.0, "p99": 3000.0, "p99_9": 4000.0, "p99_99": 4500.0}, "generator_cpu_s": 0.5, **changed,
    }  # fmt: skip


def of(rate, **others):
    return Figures(**{"rate": rate, "connections": 64, "generator_us": 5.0, "generator_cores": 0.5, "server_us": 7.0, **others})


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


class FiguresTest(unittest.TestCase):
    def test_ordem_load_tells_cpu_by_request(self):
        one = figures.of_ordem_load(ordem_load_output(server_cpu_s=1.5, stale=250))
        self.assertEqual((one.rate, one.connections, one.accepted), (500.0, 64, 0.75))
        self.assertAlmostEqual(one.generator_us, 500)
        self.assertAlmostEqual(one.generator_cores, 0.25)
        self.assertAlmostEqual(one.server_us, 1500)
        self.assertIsNone(one.latency_ms)

    def test_batches_are_counted_in_orders(self):
        one = figures.of_ordem_load(ordem_load_output(requests=10, requests_per_s=5.0, server_cpu_s=1.5))
        self.assertEqual(one.rate, 500.0)
        self.assertAlmostEqual(one.generator_us, 500)
        self.assertAlmostEqual(one.server_us, 1500)

    def test_a_server_of_several_processes_has_no_cpu(self):
        self.assertIsNone(figures.of_ordem_load(ordem_load_output()).server_us)

    def test_an_open_loop_has_latencies(self):
        one = figures.of_ordem_load(ordem_load_output(loop="open", late={"never_sent": 3}))
        self.assertEqual(one.latency_ms, {"p50": 1.5, "p99": 3.0, "p99_9": 4.0})
        self.assertEqual(one.never_sent, 3)

    def test_no_answers_are_no_figures(self):
        with self.assertRaisesRegex(RuntimeError, "no answer"):
            figures.of_ordem_load(ordem_load_output(orders=0))
        with self.assertRaisesRegex(RuntimeError, "no answer"):
            figures.of_restate_load({"requests": 0, "requests_per_s": 0, "generator_cpu_s": 1}, 64, 2)

    def test_pgbench(self):
        answered, one = figures.of_pgbench(PGBENCH, 90, 0.5)
        self.assertEqual((answered, one.rate, one.connections, one.server_us), (5000, 2500.5, 90, None))
        self.assertAlmostEqual(one.generator_us, 100)
        self.assertAlmostEqual(one.generator_cores, 0.25, places=3)
        with self.assertRaisesRegex(RuntimeError, "have failed"):
            figures.of_pgbench(PGBENCH.replace("failed transactions: 0", "failed transactions: 1"), 90, 0.5)

    def test_redis_benchmark(self):
        output = '"test","rps","avg"\n"evalsha 0a 1 g {"currency":"EUR","items":[]}","25000.50","0.9","0.1","0.8","1.1","1.2","9.0"\n'
        one = figures.of_redis_benchmark(output, 64, 50_000, 0.5, 1.5)
        self.assertEqual(one.rate, 25000.5)
        self.assertAlmostEqual(one.generator_us, 10)
        self.assertAlmostEqual(one.server_us, 30)
        self.assertAlmostEqual(one.generator_cores, 0.25, places=3)

    def test_wrk(self):
        one = figures.of_wrk(WRK, 64, 2.0, 4.0)
        self.assertEqual((one.rate, one.connections), (50000.25, 64))
        self.assertAlmostEqual(one.generator_us, 10)
        self.assertAlmostEqual(one.server_us, 20)
        self.assertAlmostEqual(one.generator_cores, 0.5, places=3)

    def test_a_wrong_response_to_wrk_is_no_result(self):
        wrong = WRK.replace("200000, wrong: 0", "200000, wrong: 1 409 out of date")
        with self.assertRaisesRegex(RuntimeError, "wrong response: 409 out of date"):
            figures.of_wrk(wrong, 64, 2.0, 4.0)

    def test_what_wrk_itself_reports_is_no_result(self):
        for line in ("Socket errors: connect 0, read 0, write 0, timeout 3", "Non-2xx or 3xx responses: 7"):
            with self.assertRaisesRegex(RuntimeError, line):
                figures.of_wrk(WRK.replace("Requests/sec", f"  {line}\nRequests/sec"), 64, 2.0, 4.0)

    def test_wrk_without_checked_responses_is_no_result(self):
        for checked, sent in (("199999", "200000"), ("0", "0")):
            output = WRK.replace("checked: 200000", f"checked: {checked}").replace("200000 requests", f"{sent} requests")
            with self.assertRaisesRegex(RuntimeError, f"{sent} responses, of which {checked}"):
                figures.of_wrk(output, 64, 2.0, 4.0)
        with self.assertRaisesRegex(RuntimeError, "wrk printed no count"):
            figures.of_wrk(WRK.partition("Responses")[0], 64, 2.0, 4.0)

    def test_the_load_of_restate(self):
        one = figures.of_restate_load({"requests": 1000, "requests_per_s": 500.0, "generator_cpu_s": 0.5}, 64, 2)
        self.assertEqual((one.rate, one.generator_us, one.generator_cores), (500.0, 500.0, 0.25))


class ProgramsTest(unittest.TestCase):
    def test_cpu_of_a_program_that_ends_is_counted(self):
        busy = "import time\nwhile time.process_time() < 0.2: pass\nprint(1)"
        output, used = programs.run_counted(sys.executable, "-c", busy, seconds_max=programs.RUN_SECONDS_MAX)
        self.assertEqual(output, "1\n")
        self.assertGreaterEqual(used, 0.2)


class TablesTest(unittest.TestCase):
    def rows(self, lines):
        header, ruler, *rows = lines
        self.assertEqual(ruler.count("---"), len(cells(header)))
        for row in rows:
            self.assertEqual(len(cells(row)), len(cells(header)), row)
        return {cells(row)[0]: cells(row)[1:] for row in rows}

    def test_rates_have_median_and_spread(self):
        rounds = {64: [{"ordem create": of(rate)} for rate in (3000, 1000, 2000)]}
        self.assertEqual(self.rows(tables.rates(rounds)), {"ordem create": ["2,000 (1,000 .. 3,000)"]})

    def test_rates_say_what_is_unlike_the_others(self):
        rounds = {64: [{"postgres": of(1), "hot": of(1, accepted=0.02), "stale": of(1, accepted=0.0)}],
                  256: [{"postgres": of(1, connections=90), "hot": of(1, connections=256), "stale": of(1, connections=256)}]}  # fmt: skip
        rows = self.rows(tables.rates(rounds))
        self.assertEqual(rows["postgres"], ["1 (1 .. 1)", "1 (1 .. 1), with 90"])
        self.assertEqual(rows["hot"], ["1 (1 .. 1); 2.0 % accepted", "1 (1 .. 1)"])
        self.assertEqual(rows["stale"], ["1 (1 .. 1)", "1 (1 .. 1)"])

    def test_a_ratio_is_taken_within_its_round(self):
        rounds = {64: [{"ordem get": of(rate), tables.BARE: of(bare)} for rate, bare in ((90, 100), (10, 20), (300, 300))]}
        self.assertEqual(self.rows(tables.ratios(rounds)), {"ordem get to bare Beast": ["0.90 (0.50 .. 1.00)", "0.85"]})

    def test_ratios_are_of_what_was_measured(self):
        self.assertNotIn("| ratio", tables.all_tables({64: [{"ordem get": of(1)}]}, {}))
        whole = tables.all_tables({64: [{"ordem get": of(1), tables.BARE: of(1)}]}, {})
        first_cells = [cells(part.splitlines()[0])[0] for part in whole.split("\n\n")]
        self.assertEqual(first_cells, ["answers a second", "ratio", "CPU time a request"])

    def test_every_ratio_is_of_peers_that_there_are(self):
        names = [peer.name for peer in compare.contestants(compare.ROWS, compare.PEERS)]
        for name, other, _ in tables.RATIOS:
            self.assertIn(name, names)
            self.assertIn(other, names)

    def test_cpu_of_generator_and_server(self):
        rounds = {64: [{"a": of(1), "b": of(1, server_us=None)}], 256: [{"a": of(1, generator_us=6.0), "b": of(1, server_us=None)}]}
        rows = self.rows(tables.cpu(rounds))
        self.assertEqual(rows["a"], ["5.0 us, 0.50 cores", "7.0 us", "6.0 us, 0.50 cores", "7.0 us"])
        self.assertEqual(rows["b"][1::2], ["-", "-"])

    def test_an_open_loop_has_its_aims(self):
        found = [of(990, latency_ms={"p50": 1.0, "p99": p99, "p99_9": 9.0}, never_sent=1) for p99 in (4.0, 6.0, 5.0)]
        rows = self.rows(tables.open_loop({64: (1000, found)}))
        self.assertEqual(rows["target rate, requests a second"], ["1,000", ""])
        self.assertEqual(rows["p99, ms"], ["5.00 (4.00 .. 6.00)", "5"])
        self.assertEqual(rows["p99.9, ms"], ["9.00 (9.00 .. 9.00)", "20"])
        self.assertEqual(rows["never sent"], ["3", "0"])


class FakePeer:
    """Records the calls; measures the rate that it was created with."""

    def __init__(self, name, rate, calls, fails=False):
        self.name, self._rate, self._calls, self._fails = name, rate, calls, fails

    def start(self, folder):
        self._calls.append(("start", self.name, folder.name))

    def measure(self, connections, seconds):
        self._calls.append(("measure", self.name, connections, seconds))
        if self._fails:
            raise RuntimeError("a wrong answer")
        return of(self._rate)

    def stop(self):
        self._calls.append(("stop", self.name))


class RoundsTest(unittest.TestCase):
    def setUp(self):
        self.calls = []
        silent = contextlib.ExitStack()
        silent.enter_context(contextlib.redirect_stderr(io.StringIO()))
        self.addCleanup(silent.close)

    def measured(self):
        return [call[1] for call in self.calls if call[0] == "measure"]

    def rounds(self, names, count, deadline):
        all_peers = [FakePeer(name, 100, self.calls) for name in names]
        return compare.measure_rounds(all_peers, Path("x"), 64, argparse.Namespace(rounds=count, seconds=4), deadline)

    def test_the_order_turns_and_the_table_does_not(self):
        rounds = self.rounds("abc", 3, time.monotonic() + 100)
        self.assertEqual("".join(self.measured()), "abc" + "bca" + "cab" + "abc")
        self.assertEqual([list(one) for one in rounds], [list("abc")] * 3)
        self.assertEqual({call[3] for call in self.calls if call[0] == "measure"}, {1, 4})

    def test_one_round_is_measured_however_late_it_is(self):
        self.assertEqual(len(self.rounds("ab", 5, time.monotonic() - 1)), 1)
        self.assertEqual("".join(self.measured()), "ab" + "ba")

    def test_a_peer_that_answers_wrongly_is_stopped_and_ends_the_run(self):
        with self.assertRaisesRegex(RuntimeError, "a wrong answer"):
            compare.measure_round([FakePeer("a", 1, self.calls, fails=True), FakePeer("b", 1, self.calls)], 0, Path("x"), 64, 4)
        self.assertEqual([call[:2] for call in self.calls], [("start", "a"), ("measure", "a"), ("stop", "a")])

    def test_the_open_loop_is_at_half_the_median(self):
        measurements = []

        class FakeOrdem(FakePeer):
            def __init__(self, row, calls=self.calls):
                super().__init__(row, 0, calls)

            def measure_open(self, connections, seconds, rate):
                measurements.append((self.name, connections, seconds, rate))
                return of(rate, latency_ms={})

        real, compare.peers.Ordem = compare.peers.Ordem, FakeOrdem
        self.addCleanup(setattr, compare.peers, "Ordem", real)
        rate, found = compare.measure_open_loop([{"ordem create": of(rate)} for rate in (10, 40, 20)], Path("x"), 64, 4)
        self.assertEqual((rate, len(found)), (10, 3))
        self.assertEqual(measurements, [("create", 64, 4, 10)] * 3)


class ChoiceTest(unittest.TestCase):
    def names(self, *arguments):
        options = compare.parse(arguments)
        return [peer.name for peer in compare.contestants(options.rows, options.peers)]

    def test_all_of_it_by_default(self):
        self.assertEqual(self.names(), [
            "bare Beast", "nginx return 200", "ordem create", "ordem get", "ordem update", "ordem hot-order", "ordem replay",
            "ordem conflict", "ordem batch", "ordem batch-update", "PostgreSQL alone create", "PostgreSQL alone update", "Redis create", "Redis update",
            "Restate create",
            "bare Beast create by wrk", "ordem create by wrk", "ordem create by wrk, --io-threads 1",
            "bare Beast get by wrk", "ordem get by wrk", "ordem get by wrk, --io-threads 1",
            "bare Beast update by wrk", "ordem update by wrk", "ordem update by wrk, --io-threads 1",
            "bare Beast replay by wrk", "ordem replay by wrk", "ordem replay by wrk, --io-threads 1"])  # fmt: skip

    def test_rows_and_peers_are_chosen(self):
        self.assertEqual(self.names("--rows", "get", "--peers", "bare"), ["bare Beast", "ordem get"])
        self.assertEqual(self.names("--rows", "update", "--peers", "redis", "restate"), ["ordem update", "Redis update"])
        self.assertEqual(self.names("--rows", "get", "--peers"), ["ordem get"])

    def test_wrk_measures_the_rows_that_it_has(self):
        self.assertEqual(self.names("--rows", "get", "conflict", "--peers", "wrk"), [
            "ordem get", "ordem conflict", "bare Beast get by wrk", "ordem get by wrk", "ordem get by wrk, --io-threads 1"])  # fmt: skip
        self.assertEqual(self.names("--rows", "conflict", "--peers", "wrk"), ["ordem conflict"])

    def test_the_open_loop_needs_the_peak_of_creates(self):
        self.assertEqual(self.names("--rows", "open", "--peers", "bare"), ["bare Beast", "ordem create"])

    def test_what_there_is_not_is_refused(self):
        for arguments in (["--rows", "delete"], ["--peers", "mysql"]):
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
                compare.parse(arguments)

    def test_the_results_are_json(self):
        found = json.loads(compare.in_json({"cores": 2}, {64: [{"ordem get": of(7)}]}, {64: (3.5, [of(3)])}))
        self.assertEqual(found["rounds"]["64"][0]["ordem get"]["rate"], 7)
        self.assertEqual((found["open_loops"]["64"]["rate"], found["open_loops"]["64"]["figures"][0]["rate"]), (3.5, 3))


if __name__ == "__main__":
    unittest.main()
