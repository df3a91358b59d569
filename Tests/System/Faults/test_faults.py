#!/usr/bin/env python3
"""The effect of one kind of failing call on the daemon, for calls that `inject.py` rarely hits.

    test_faults.py BINARY
"""
import glob
import os
import shutil
import signal
import sys
import unittest

from flows import compile_library
from inject import Counters
from daemon_tests.harness import Case, deliver, lines, need_once, numbers, wait

BINARY = None


class FaultTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.library = compile_library("faults")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(os.path.dirname(cls.library))

    def setUp(self):
        self.case = Case(BINARY, "faults", False)
        self.addCleanup(self.case.close)
        self.counters = Counters(self.case.path("counters"))
        self.addCleanup(self.counters.close)
        self.counters.switch(True)

    def preload(self, rules, seed=0):
        return {"LD_PRELOAD": self.library, "FAULTS_RULES": rules, "FAULTS_SEED": str(seed),
                "FAULTS_COUNTERS": self.case.path("counters")}

    def start_at_last(self, rules, seed):
        """As with systemd: a start that fails because of the machine is repeated."""
        for attempt in range(50):
            daemon = self.case.launch(environment=self.preload(rules, 1000 * seed + attempt))
            wait(lambda: daemon.process.poll() is not None or " ready sinks=" in daemon.log, "a start or its end")
            if daemon.process.poll() is None:
                return
            self.assertIn(daemon.process.returncode, (73, 74, 75))
        self.fail("no start of 50 comes about")

    def test_a_state_that_cannot_be_looked_at_is_kept(self):
        """stat(2) of the database fails sometimes at the start: it isn't taken for an empty file and set aside."""
        case = self.case
        case.write_config(sources=[case.directory()], sinks=[case.file_sink()])
        daemon = case.start()
        deliver(case.path("in/a.txt"), lines(0, 500))
        case.wait_count(500)
        daemon.wait_committed()
        daemon.stop()
        for name, outcomes in (("state.sqlite", "EIO"), ("state.sqlite-wal", "EIO,EINTR")):
            refusals = 0
            for seed in range(24):
                rules = f"stat {case.folder}/state/{name} {outcomes} 0.5"
                daemon = case.launch(environment=self.preload(rules, seed))
                wait(lambda: daemon.process.poll() is not None or " ready sinks=" in daemon.log, "a start or its end")
                if daemon.process.poll() is not None:
                    refusals += 1
                    self.assertIn(daemon.process.returncode, (73, 74), daemon.log)
                daemon.kill()
            self.assertGreater(refusals, 10)
        daemon = case.start()
        deliver(case.path("in/b.txt"), lines(500, 600))
        case.wait_count(600)
        daemon.stop()
        self.assertEqual(glob.glob(case.path("state/*damaged*")), [])
        need_once(numbers(case.out), range(600))

    def test_a_state_whose_reads_fail_is_no_damaged_one(self):
        """Reads of the database fail sometimes at the start, which SQLite's own check reports as damage of a page."""
        case = self.case
        case.write_config(sources=[case.directory()], sinks=[case.file_sink()])
        daemon = case.start()
        deliver(case.path("in/a.txt"), lines(0, 500))
        case.wait_count(500)
        daemon.wait_committed()
        daemon.stop()
        refusals = 0
        for seed in range(60):
            rules = f"pread,read,mmap {case.folder}/state/state.sqlite* EIO,EINTR,ENOMEM,short 0.04"
            daemon = case.launch(environment=self.preload(rules, seed))
            wait(lambda: daemon.process.poll() is not None or " ready sinks=" in daemon.log, "a start or its end")
            if daemon.process.poll() is not None:
                refusals += 1
                self.assertIn(daemon.process.returncode, (73, 74, 75), daemon.log)
            daemon.kill()
            self.assertEqual(glob.glob(case.path("state/*damaged*")), [], f"seed {seed}: {daemon.log}")
        self.assertGreater(refusals, 10)
        daemon = case.start()
        deliver(case.path("in/b.txt"), lines(500, 600))
        case.wait_count(600)
        daemon.stop()
        need_once(numbers(case.out), range(600))

    def test_a_sink_that_cannot_be_cut_at_once_is_cut_all_the_same(self):
        """After a kill the start cuts off uncommitted bytes, although one in four calls on the file fails."""
        case = self.case
        case.write_config(sources=[case.directory()], sinks=[case.file_sink()])
        for seed in range(5):
            # The daemon kills itself when answers are in the file but not in the state yet.
            daemon = case.start(environment={"UNDERSTUDY_CRASH_AT": "synchronised:1"})
            written = 400 * (seed + 1)
            deliver(case.path(f"in/{seed}.txt"), lines(written - 400, written))
            daemon.wait_exit(-signal.SIGKILL)
            rules = f"ftruncate,fsync,pread,stat,open,lock {case.out} EIO,EINTR,ENOMEM,ENOLCK,ENOSPC 0.25"
            self.start_at_last(rules, seed)
            self.counters.switch(False)
            case.wait_count(written)
            case.daemons[-1].stop()
            self.counters.switch(True)
            need_once(numbers(case.out), range(written))


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
