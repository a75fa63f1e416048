"""The page of results."""

import datetime
import os
import platform
import statistics
from pathlib import Path


def line(case, times, why):
    """One case, for the terminal."""
    own = times.get("typenet")
    parts = [f"{case.title:58}"]
    for name, peer in times.items():
        part = f"{name} {duration(peer.median)}"
        if own and peer is not own:
            part += f" ×{ratio(peer, own):.2f} ({peer.mode})"
        parts.append(part)
    parts += [f"{name}: {reason}" for name, reason in why.items()]
    if case.bar:
        parts.append(f"bar {case.bar}")
    return "  ".join(parts)


def duration(seconds):
    for unit, size in ("s", 1), ("ms", 1e-3), ("µs", 1e-6):
        if seconds >= size or unit == "µs":
            value = seconds / size
            return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"


def ratio(peer, own):
    """How many times faster `own` is: the median over the rounds' pairs."""
    return statistics.median(a / b for a, b in zip(peer.medians, own.medians))


def machine():
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        for text in Path("/proc/cpuinfo").read_text().splitlines():
            if text.startswith("model name"):
                model = text.partition(":")[2].strip()
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def page(results, peers, missing, options, rounds, seconds):
    versions = ", ".join(peer.version for peer in peers)
    realtime = (
        " Each timed run went before all other work of the machine (`--realtime`)."
        if options.realtime
        else ""
    )
    text = [
        "# Benchmarks",
        "",
        f"Written by `benches/compare/compare.py` on {datetime.date.today()}: {machine()}, "
        f"{options.threads} threads, {versions}. f32 everywhere.",
        "",
        f"The frameworks take turns, {rounds} rounds of {seconds} s a case. A time is the median over "
        "the rounds of each round's median; *faster* is how many times longer the other framework "
        "needs, the median of the rounds' ratios (from the smallest to the largest)." + realtime,
        "",
        "PyTorch runs in its best mode of eager, channels_last and compile (with either layout), which "
        "is named; the bar is against that. *Frozen* is compile with the weights frozen into the graph "
        "(`torch._inductor.config.freezing`), which then can be trained no more.",
        "",
    ]
    for name, reason in missing.items():
        text += [f"Skipped: {name} ({reason}).", ""]
    columns = list(dict.fromkeys(column for _, times, _ in results for column in times))
    columns = [column for column in columns if column != "typenet"]
    for title, layers in ("Nets", False), ("Single layers", True):
        rows = [result for result in results if result[0].net.single_layer == layers]
        if rows:
            text += [f"## {title}", ""]
            if layers:
                text += [
                    "*Forward and backward* gives the gradients of the layer's parameters; nobody "
                    "needs that of its input. A layer is a net of its own: typenet's times include "
                    "bringing images, outputs and gradients into its layout of 16 images side by side "
                    "and back, which a whole net does once.",
                    "",
                ]
            text += [*table(rows, columns), ""]
    text += ["## Raw numbers", "", "Each round's median, in microseconds.", "", *raw_table(results)]
    return "\n".join(text) + "\n"


def table(rows, columns):
    head = ["case (batch)", "typenet", "GFLOP/s"]
    for name in columns:
        head += [name, f"faster than {name}"]
        if name == "pytorch":
            head += ["bar"]
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    for case, times, why in rows:
        own = times.get("typenet")
        speed = f"{case.flops / own.median / 1e9:.0f}" if own else ""
        cells = [case.title, duration(own.median) if own else why.get("typenet", ""), speed]
        for name in columns:
            other = times.get(name)
            if other is None:
                cells += [why.get(name, ""), ""]
            else:
                mode = "" if other.mode == "default" else f" {other.mode}"
                cells += [duration(other.median) + mode, faster(other, own) if own else ""]
            if name == "pytorch":
                cells += [f"{case.bar:g}" if case.bar else ""]
        yield "| " + " | ".join(cells) + " |"


def raw_table(results):
    yield "| case (batch) | | rounds |"
    yield "|---|---|---|"
    for case, times, _ in results:
        for name, own in times.items():
            mode = "" if own.mode == "default" else f", {own.mode}"
            rounds = " ".join(f"{seconds * 1e6:.4g}" for seconds in own.medians)
            yield f"| {case.title} | {name}{mode} | {rounds} |"


def faster(peer, own):
    pairs = [a / b for a, b in zip(peer.medians, own.medians)]
    return f"**{statistics.median(pairs):.2f}** ({min(pairs):.2f}–{max(pairs):.2f})"


def raw(results):
    return [
        {
            "net": case.net.name,
            "pass": case.which,
            "batch": case.batch,
            "peers": {
                name: {"mode": t.mode, "medians": t.medians, "least": t.least}
                for name, t in times.items()
            },
        }
        for case, times, _ in results
    ]
