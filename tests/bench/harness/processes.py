"""Programs under test: starting them, ending them, and what /proc tells of their process trees."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
START_SECONDS = 20
STOP_SECONDS = 3
LIBC = ctypes.CDLL(None)


class BenchError(Exception):
    """Something that ends the benchmark, in a sentence for a person."""


def end_with_parent():
    """In a forked child: it ends when the harness does, however that happens."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A running program with its children. Its output goes to a file, in a session of its own so that Ctrl-C in the
    terminal reaches the harness alone, which then ends everything in order."""

    def __init__(self, argv, output, stdin=subprocess.DEVNULL, piped=False):
        self.name = os.path.basename(argv[0])
        self.output = output
        with open(output, "ab") as log:
            self.process = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE if piped else log, stderr=log,
                                            text=True, start_new_session=True, preexec_fn=end_with_parent)

    @property
    def pid(self):
        return self.process.pid

    def tree(self):
        """The pids of the program and of everything below it."""
        children = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                stat = read(f"/proc/{entry}/stat")
                if stat:
                    children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry))
        pids = [self.pid]
        for pid in pids:
            pids += children.get(pid, [])
        return pids

    def await_port(self, port):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise BenchError(f"{self.name} does not serve:\n{self.last_words()}")

    def last_words(self):
        lines = (read(self.output) or "").splitlines()
        return "\n".join(lines[-10:])

    def forget_output(self):
        """Makes room; the file is open for appending."""
        os.truncate(self.output, 0)

    def stop(self):
        if self.process.poll() is not None:
            return
        pids = self.tree()
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def read(path):
    """A file's text; None when it, or its process, is gone."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def cpu_ns(pids):
    """CPU time that the scheduler has counted for all threads, in nanoseconds."""
    total = 0
    for pid in pids:
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
        except OSError as gone:
            raise BenchError(f"process {pid} of the program under test has ended") from gone
        for task in tasks:
            text = read(f"/proc/{pid}/task/{task}/schedstat")
            total += int(text.split()[0]) if text else 0
    return total


def user_and_system_ticks(pids):
    """utime and stime: whole clock ticks, sampled; good for the proportion of the two."""
    user = system = 0
    for pid in pids:
        fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        user += int(fields[11])
        system += int(fields[12])
    return user, system


def pss_kib(pids):
    """Proportional set size: memory that is shared counts for each process in part."""
    total = 0
    for pid in pids:
        for line in (read(f"/proc/{pid}/smaps_rollup") or "").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def traced(pids):
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            if "TracerPid:\t0\n" in (read(f"/proc/{pid}/task/{task}/status") or ""):
                return False
    return True


def count_syscalls(pids, run, directory):
    """How many system calls the processes make while `run()` runs; None when strace is absent or refused."""
    if not shutil.which("strace"):
        return None
    summary = os.path.join(directory, "strace")
    argv = ["strace", "-f", "-c", "-o", summary]
    for pid in pids:
        argv += ["-p", str(pid)]
    strace = Program(argv, summary + ".log")
    try:
        deadline = time.monotonic() + START_SECONDS
        while not traced(pids):
            if strace.process.poll() is not None or time.monotonic() > deadline:
                return None
            time.sleep(0.02)
        run()
        strace.process.send_signal(signal.SIGINT)
        strace.process.wait(STOP_SECONDS)
    finally:
        strace.stop()
    for line in (read(summary) or "").splitlines():
        if line.endswith(" total"):
            # % time, seconds, usecs/call, calls, (errors), name
            return int(line.split()[3])
    return None
