"""Results as Markdown tables, for the terminal and for README.md."""

import os
import platform
import statistics

from harness.processes import read
from harness.scenarios import FIRST

DASH = "–"


def machine():
    """One line about where this ran."""
    model = next((line.partition(":")[2].strip() for line in (read("/proc/cpuinfo") or "").splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"Linux {platform.release()}, {len(os.sched_getaffinity(0))} CPUs ({model})"


def load_average():
    return " ".join((read("/proc/loadavg") or "?").split()[:3])


def ratio(subject, reference, measure="CPU µs"):
    """Median of the rounds' ratios: what slows a whole round down hardly shows in it."""
    return statistics.median(a / b for a, b in zip(subject.values(measure), reference.values(measure)))


def more(subject, reference, measure="CPU µs"):
    """Median of the rounds' differences."""
    return statistics.median(a - b for a, b in zip(subject.values(measure), reference.values(measure)))


def find(run, peer, variant=None):
    """A peer's subject; of a variant, or the one there is."""
    return next((one for one in run.subjects if one.peer.name == peer and variant in (None, one.variant)), None)


def number(value, digits=2):
    return DASH if value is None else f"{value:,.{digits}f}"


def table(header, rows):
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths)) for row in rows]
    first = " | ".join(cell.ljust(width) for cell, width in zip(header, widths))
    return "\n".join(f"| {line} |" for line in [first, " | ".join("-" * width for width in widths), *lines])


def cpu_row(run, subject):
    values = subject.values("CPU µs")
    row = [subject.label, number(subject.median("CPU µs")), f"{min(values):.2f} … {max(values):.2f}",
           number(subject.median("user µs"))]
    for peer in ("relay", "nginx"):
        reference = find(run, peer, subject.variant)
        row.append(number(ratio(subject, reference) if reference else None))
    if len(run.scenario.variants) > 1:
        first = find(run, subject.peer.name, run.scenario.variants[0])
        row.append(DASH if first is subject else f"{more(subject, first):+.2f}")
    row.append(number(subject.syscalls))
    return row


def cpu_table(run):
    header = ["", f"CPU µs per {run.scenario.unit}", "min … max", "user µs", "× relay", "× nginx"]
    if len(run.scenario.variants) > 1:
        header.append("more µs")
    return table([*header, "system calls"], [cpu_row(run, subject) for subject in run.subjects])


def rate_table(run):
    measures = ("p50", "p99", "p99.9")
    header = ["", *(f"{measure} µs" for measure in measures), "p99 min … max", "CPU µs per request"]
    rows = [[subject.label, *(number(subject.median(measure), 0) for measure in measures),
             f"{min(subject.values('p99')):,.0f} … {max(subject.values('p99')):,.0f}", number(subject.median("CPU µs"))]
            for subject in run.subjects]
    return f"At {run.rate:,} requests a second.\n\n" + table(header, rows)


def idle_table(run):
    header = ["", "PSS KiB per idle connection", "min … max", "PSS KiB before", "CPU µs per request beside them"]
    rows = [[subject.label, number(subject.median("PSS KiB"), 3),
             f"{min(subject.values('PSS KiB')):.3f} … {max(subject.values('PSS KiB')):.3f}",
             number(subject.median("base KiB"), 0), number(subject.median("CPU µs"))] for subject in run.subjects]
    return table(header, rows)


def measured(run, budget):
    """What a budget is about, and how it is told; None when it was not measured."""
    variants = run.scenario.variants
    own = find(run, "restgate", variants[-1])
    if own is None:
        return None
    if budget.against == FIRST:
        return more(own, find(run, "restgate", variants[0]), budget.measure), f"more {budget.measure}"
    if budget.against:
        reference = find(run, budget.against, variants[-1])
        return (ratio(own, reference, budget.measure), f"× {budget.against} ({budget.measure})") if reference else None
    value = own.syscalls if budget.measure == "system calls" else own.median(budget.measure)
    return None if value is None else (value, budget.measure)


def budgets(run):
    lines = []
    for budget in run.scenario.budgets:
        result = measured(run, budget)
        if result:
            value, name = result
            verdict = "kept" if value <= budget.limit else "missed"
            lines.append(f"Budget: at most {budget.limit:g} {name}; measured {value:.2f}: {verdict}.")
    return "  \n".join(lines)


def section(run):
    """All about one scenario."""
    tables = {"cpu": cpu_table, "rate": rate_table, "idle": idle_table}
    parts = [f"### {run.scenario.name}: {run.scenario.title}", tables[run.scenario.kind](run), budgets(run)]
    if run.repeated:
        parts.append(f"{run.repeated} noisy rounds were repeated.")
    return "\n\n".join(part for part in parts if part) + "\n"


def raw(run):
    """Everything that was measured, for --json."""
    subjects = {subject.label: {"rounds": subject.rounds, "syscalls": subject.syscalls} for subject in run.subjects}
    return {"scenario": run.scenario.name, "repeated": run.repeated, "rate": run.rate, "subjects": subjects}
