"""Measuring one scenario: origin and proxies are started once, then take turns, round after round."""

import json
import os
import statistics
import subprocess
from dataclasses import replace

from harness import processes
from harness.peers import Backend, printed_port, write
from harness.processes import BenchError, Program
from harness.scenarios import paths_text

NOISY = 0.15  # a round in which some value is farther than this from its median is repeated
SYSCALL_REQUESTS = 4_000
PART_OF_CAPACITY = 0.3
RATE_SECONDS = 4


class Load:
    """bench_load: stands after __init__ (all connections open), runs in go(), goes in close()."""

    def __init__(self, subject, flags):
        self.subject = subject
        program = os.path.join(subject.bench.tools, "bench_load")
        argv = [program, "--port", str(subject.port), "--timeout", "120", *flags]
        self.program = Program(argv, os.path.join(subject.directory, "load"), stdin=subprocess.PIPE, piped=True)
        self.expect("ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.process.stdin.close()
        self.program.stop()

    def expect(self, start):
        line = self.program.process.stdout.readline()
        if not line.startswith(start):
            status = self.program.process.wait(processes.STOP_SECONDS)
            raise BenchError(f"the load client failed ({status}) at {self.subject.label}:\n{self.program.last_words()}\n"
                             f"{self.subject.label} says:\n{self.subject.program.last_words()}")
        return line

    def go(self):
        self.program.process.stdin.write("go\n")
        self.program.process.stdin.flush()
        return json.loads(self.expect("{"))


class Subject:
    """One proxy in one variant of a scenario, running."""

    def __init__(self, bench, peer, variant, scenario, backend):
        self.bench, self.peer, self.variant, self.scenario, self.backend = bench, peer, variant, scenario, backend
        self.label = f"{peer.name}, {variant.name}" if variant.name else peer.name
        name = f"{scenario.name}-{self.label}".replace(" ", "-").replace(",", "")
        self.directory = os.path.join(bench.directory, name)
        self.rounds = []  # a dict of measures each
        self.syscalls = None
        self.program = None
        self.start()

    def start(self):
        setup = self.bench.setup(self.variant, self.scenario)
        self.program, self.port = self.peer.start(self.directory, setup, self.backend)

    def restart(self):
        self.program.stop()
        self.start()

    def load(self, *flags):
        return Load(self, (*self.scenario.load, *self.variant.load, *flags))

    def forget_logs(self):
        for path in self.peer.logs(self.directory):
            if os.path.exists(path):
                os.truncate(path, 0)

    def measure_cpu(self, count, *flags):
        """CPU µs an exchange, ticks in user mode and in all, and what the client saw."""
        with self.load("--count", str(count), *flags) as load:
            pids = self.program.tree()
            cpu, ticks = processes.cpu_ns(pids), processes.user_and_system_ticks(pids)
            seen = load.go()
            cpu = processes.cpu_ns(pids) - cpu
            user, system = (now - then for now, then in zip(processes.user_and_system_ticks(pids), ticks))
        self.forget_logs()
        return {"CPU µs": cpu / 1e3 / seen["count"], "user ticks": user, "ticks": user + system,
                "rate": seen["count"] / seen["seconds"], "p50": seen["p50_us"], "p99": seen["p99_us"],
                "p99.9": seen["p999_us"]}

    def measure_idle(self):
        """What 10,000 idle connections take of memory, and requests beside them of CPU time. On a new process, so that
        what was freed before does not count."""
        self.restart()
        self.measure_cpu(1_000)
        pids = self.program.tree()
        before = processes.pss_kib(pids)
        with Load(self, ("--connections", str(self.bench.idle), "--path", "/bytes/128")):
            held = processes.pss_kib(pids)
            measured = self.measure_cpu(self.scenario.count)
        return {"PSS KiB": (held - before) / self.bench.idle, "base KiB": before, **measured}

    def count_syscalls(self):
        count = min(self.scenario.count, SYSCALL_REQUESTS)
        with self.load("--count", str(count)) as load:
            calls = processes.count_syscalls(self.program.tree(), load.go, self.bench.directory)
        self.forget_logs()
        self.syscalls = None if calls is None else calls / count

    def stop(self):
        if self.program:
            self.program.stop()

    def values(self, measure):
        return [one[measure] for one in self.rounds]

    def median(self, measure):
        if measure == "user µs":  # of all rounds together: ticks are few
            return self.median("CPU µs") * sum(self.values("user ticks")) / max(1, sum(self.values("ticks")))
        return statistics.median(self.values(measure))


class Run:
    """One scenario from start to end."""

    def __init__(self, bench, scenario):
        self.bench, self.scenario = bench, scenario
        if scenario.paths:
            path = write(bench.directory, "paths", paths_text(scenario))
            self.scenario = replace(scenario, load=(*scenario.load, "--paths", path))
        self.subjects = []
        self.repeated = 0
        self.rate = 0

    def run(self):
        origin = self.start_origin()
        try:
            backend = Backend(printed_port(origin), self.bench.certificate)
            for variant in self.scenario.variants:
                for peer in self.bench.peers:
                    if peer.handles_http or (self.scenario.relay and not self.differs_by_proxy(variant)):
                        self.subjects.append(Subject(self.bench, peer, variant, self.scenario, backend))
            self.warm_up()
            self.measure()
        finally:
            for subject in self.subjects:
                subject.stop()
            origin.stop()
        return self

    def differs_by_proxy(self, variant):
        """Whether it is how proxies are set up that makes this variant; the relay knows nothing of that."""
        return variant.setup != self.scenario.variants[0].setup

    def start_origin(self):
        argv = [os.path.join(self.bench.tools, "bench_origin"), "--workers", str(self.scenario.origin_workers)]
        if self.scenario.tls_backend:
            self.bench.make_certificate()
            argv += ["--certificate", self.bench.certificate, "--key", self.bench.key]
        return Program(argv, os.path.join(self.bench.directory, "origin"), piped=True)

    def warm_up(self):
        """Connections to the origin come up, and code into memory. At a fixed rate: the rate is found."""
        for subject in self.subjects:
            count = self.scenario.count // 4 or 10_000
            seen = subject.measure_cpu(count)
            self.rate = min(self.rate or seen["rate"], seen["rate"])
        self.rate = max(1, int(self.rate * PART_OF_CAPACITY))

    def measure(self):
        rounds = [self.one_round() for _ in range(min(self.bench.rounds, self.scenario.rounds))]
        while self.repeated < len(rounds) > 1:
            worst = max(rounds, key=lambda one: deviation(one, rounds))
            if deviation(worst, rounds) <= NOISY:
                break
            rounds.remove(worst)
            self.repeated += 1
            rounds.append(self.one_round())
        for number, subject in enumerate(self.subjects):
            subject.rounds = [one[number] for one in rounds]
            if self.scenario.kind == "cpu" and self.scenario.syscalls and self.bench.syscalls:
                subject.count_syscalls()

    def one_round(self):
        return [self.measure_one(subject) for subject in self.subjects]

    def measure_one(self, subject):
        if self.scenario.kind == "idle":
            return subject.measure_idle()
        if self.scenario.kind == "rate":
            return subject.measure_cpu(self.rate * RATE_SECONDS, "--rate", str(self.rate))
        return subject.measure_cpu(self.scenario.count)


def deviation(one, rounds):
    """How far a round's CPU times are from the medians of all rounds, at worst."""
    worst = 0
    for number, measured in enumerate(one):
        median = statistics.median(other[number]["CPU µs"] for other in rounds)
        worst = max(worst, abs(measured["CPU µs"] / median - 1))
    return worst
