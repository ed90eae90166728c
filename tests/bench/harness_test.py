"""The common parts of the measurements: running programs, calling ordem-load, CPU use of a process."""

import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "bench"))

import harness  # noqa: E402  (before support: it says where that is)
from support.process_facts import cpu_seconds  # noqa: E402


class RunTest(unittest.TestCase):
    def test_a_program_that_succeeds_gives_its_output(self):
        self.assertEqual(harness.run("echo", 7), "7\n")

    def test_a_program_that_fails_is_reported(self):
        with self.assertRaisesRegex(RuntimeError, "sh ended with 3: why"):
            harness.run("sh", "-c", "echo why >&2; exit 3")

    def test_a_program_that_hangs_is_reported(self):
        reading, writing = os.pipe()
        try:
            with self.assertRaisesRegex(RuntimeError, "cat did not end within 0.05 s"):
                harness.run("cat", seconds_max=0.05, stdin=reading)
        finally:
            os.close(writing)
            os.close(reading)


class LoadCommandTest(unittest.TestCase):
    def flags(self, *arguments, **options):
        """Returns {flag: value}. --json, the only flag without a value, is checked here."""
        program, *words = harness.load_command(8080, "create", *arguments, **options)
        self.assertEqual(Path(program).name, "ordem-load")
        words.remove("--json")
        return dict(zip(words[::2], words[1::2], strict=True))

    def test_what_all_measurements_ask_for(self):
        self.assertEqual(self.flags(64, 4), {
            "--port": "8080", "--scenario": "create", "--connections": "64", "--threads": "2", "--duration": "4s", "--warmup": "1s",
        })  # fmt: skip

    def test_one_connection_has_one_thread(self):
        self.assertEqual(self.flags(1, 4)["--threads"], "1")

    def test_what_some_ask_for(self):
        found = self.flags(64, 4, "--orders", 100, warmup_seconds=3, server_pid=42)
        self.assertEqual((found["--orders"], found["--warmup"], found["--server-pid"]), ("100", "3s", "42"))


class ProcessFactsTest(unittest.TestCase):
    def test_cpu_of_a_process_is_found_behind_any_name(self):
        name = Path("/proc/self/comm")
        own = name.read_text()
        while time.process_time() < 0.3:
            pass
        for other in ("plain", "a ) S 1) b)"):
            name.write_text(other)
            try:
                self.assertAlmostEqual(cpu_seconds(os.getpid()), sum(os.times()[:2]), delta=0.1)
            finally:
                name.write_text(own)


if __name__ == "__main__":
    unittest.main()
