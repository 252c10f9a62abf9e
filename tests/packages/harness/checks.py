"""Named checks that are run one after the other and counted; and small helpers of theirs."""

import subprocess
import sys
import time
import traceback


class Failure(Exception):
    """What does not hold, in a sentence for a person."""


class Checks:
    """Counts what passed and failed. A failed check does not end those after it."""

    def __init__(self, wanted=""):
        self.wanted = wanted
        self.passed = 0
        self.failed = 0

    def run(self, name, body):
        start = time.monotonic()
        try:
            note = body()
        except Exception as error:  # pylint: disable=broad-except
            self.failed += 1
            print(f"FAILED  {name}: {error}", flush=True)
            if not isinstance(error, (Failure, subprocess.SubprocessError)):
                traceback.print_exc(file=sys.stdout)
            return
        self.passed += 1
        print(f"ok      {name} ({time.monotonic() - start:.1f} s){': ' + note if note else ''}", flush=True)

    def skip(self, name, reason):
        print(f"skipped {name}: {reason}", flush=True)


def expect(condition, message):
    if not condition:
        raise Failure(message)


def expect_equal(got, wanted, what):
    expect(got == wanted, f"{what}: {got!r} instead of {wanted!r}")


def expect_in(part, text, what):
    expect(part in text, f"{what}: {part!r} is not in {text!r}")


def await_that(condition, what, seconds=30):
    """Returns the condition's first true value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def run(argv, check=True, timeout=600, **more):
    """The finished process, with its output (both streams) as text."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=timeout, check=False, **more)
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stdout}")
    return done
