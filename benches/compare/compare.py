#!/usr/bin/env python3
"""Times typenet beside other frameworks and writes docs/benchmarks.md and
docs/roofline.md.

Each framework is a process of its own that runs a case when told (the protocol: driver/src/lib.rs).
For every case the frameworks take turns, A B C A B C …, and the ratios are of neighbours, so that a
drift of the machine's speed cancels. A framework that cannot be had is skipped and named.

    benches/compare/compare.py                     everything
    benches/compare/compare.py --quick             the five nets, few rounds, nothing written
    benches/compare/compare.py --only lenet5,vgg6 --pass train --peers pytorch

PyTorch comes from PyPI into benches/compare/venv, or from the Python that COMPARE_PYTHON names.
"""

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import cases
import report

HERE = Path(__file__).resolve().parent
TARGET = HERE / "target"


class Missing(Exception):
    """Why a peer is not there."""


def checked(command, what, **options):
    result = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    if result.returncode != 0:
        lines = result.stderr.decode(errors="replace").strip().splitlines()
        raise Missing(f"{what}: {lines[-1] if lines else 'it failed'}")


def rust(package):
    """Builds a driver in Rust for this machine, and gives its command."""

    def build():
        flags = os.environ.get("RUSTFLAGS", "")
        # typenet chooses its instructions at run time; the others want to be told.
        if package != "compare-typenet":
            flags += " -C target-cpu=native"
        command = ["cargo", "build", "--release", "--locked", "--package", package]
        target = TARGET / ("typenet" if package == "compare-typenet" else "native")
        env = os.environ | {"RUSTFLAGS": flags.strip(), "CARGO_TARGET_DIR": str(target)}
        checked(command, "cargo build", cwd=HERE, env=env)
        return [str(target / "release" / package)]

    return build


def pytorch(threads):
    def build():
        python = os.environ.get("COMPARE_PYTHON")
        if python is None:
            python = HERE / "venv" / "bin" / "python"
            if not python.exists():
                checked([sys.executable, "-m", "venv", HERE / "venv"], "venv")
            requirements = HERE / "pytorch" / "requirements.txt"
            checked([python, "-m", "pip", "install", "-q", "-r", requirements], "pip install")
        checked([python, "-c", "import torch"], "import torch")
        return [str(python), str(HERE / "pytorch" / "driver.py"), str(threads)]

    return build


class Peer:
    """A running driver."""

    def __init__(self, name, build, threads, realtime=False, modes=()):
        self.realtime = realtime
        env = os.environ | {
            "RAYON_NUM_THREADS": str(threads),
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            "TORCHINDUCTOR_CACHE_DIR": str(TARGET / "inductor"),
            "TORCHINDUCTOR_COMPILE_THREADS": "1",
        }
        TARGET.mkdir(exist_ok=True)
        with open(TARGET / f"{name}.log", "ab") as log:
            self.process = subprocess.Popen(
                build(), env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        ready, _, version = self.process.stdout.readline().strip().partition(" ")
        if ready != "ready":
            raise Missing(f"it does not start; see {TARGET.name}/{name}.log")
        self.name, self.version = name, version
        known = self.ask("modes").split()
        # Those of a framework that has none of these are all.
        self.modes = [mode for mode in known if mode in modes] or known

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        verdict, _, answer = self.process.stdout.readline().strip().partition(" ")
        if verdict != "ok":
            raise Missing(answer or "it ended")
        return answer

    def time(self, case, mode, seconds):
        """Seconds per step, of each sample."""
        line = f"run {case.net.name} {case.which} {case.batch} {mode} {seconds}"
        self.schedule(first=self.realtime)
        try:
            samples = [float(number) for number in self.ask(line).split()]
        finally:
            self.schedule(first=False)
        # Threads of some peers spin for a while after their last work.
        time.sleep(0.05)
        return samples

    def prepare(self, case, mode):
        """Whatever a case needs once, such as compiling it."""
        self.ask(f"run {case.net.name} {case.which} {case.batch} {mode} 0")

    def schedule(self, first):
        """Puts the process before all others of the machine, or back among them."""
        if not self.realtime:
            return
        policy, priority = (os.SCHED_RR, 1) if first else (os.SCHED_OTHER, 0)
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            try:
                os.sched_setscheduler(int(thread), policy, os.sched_param(priority))
            except ProcessLookupError:
                pass

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.terminate()


@dataclasses.dataclass
class Times:
    """What one peer needed for one case, in its best mode."""

    mode: str
    # The median and the least of each round's samples.
    medians: list
    least: list

    @property
    def median(self):
        return statistics.median(self.medians)


def column_of(peer, mode):
    """Weights frozen into a compiled graph can be trained no more: such modes are shown apart."""
    return f"{peer.name}, frozen" if mode.startswith("freeze") else peer.name


def rounds_of(case, peers, rounds, seconds):
    """The times of each column, by name, or why a peer has none."""
    turns, why = [], {}
    for peer in peers:
        columns = {}
        for mode in peer.modes:
            try:
                peer.prepare(case, mode)
                least = min(peer.time(case, mode, seconds / 2))
                columns.setdefault(column_of(peer, mode), {})[mode] = least
            except Missing as missing:
                why[peer.name] = str(missing)
        for column, modes in columns.items():
            # Modes that are close to the best go on; the best is known when all rounds are over.
            best = min(modes.values())
            kept = [Times(mode, [], []) for mode, least in modes.items() if least <= best * 1.08]
            turns.append((peer, column, kept))
    for _ in range(rounds):
        for peer, _, kept in turns:
            for times in kept:
                samples = peer.time(case, times.mode, seconds)
                times.medians.append(statistics.median(samples))
                times.least.append(min(samples))
    best = {column: min(kept, key=lambda times: times.median) for _, column, kept in turns}
    return best, {name: reason for name, reason in why.items() if name not in best}


def roofline(options):
    """What each layer takes, beside what the machine can do: docs/roofline.md."""
    command = ["cargo", "bench", "-p", "typenet-benches", "--bench", "roofline"]
    env = os.environ | {"RAYON_NUM_THREADS": str(options.threads)}
    root = HERE.parents[1]
    try:
        checked([*command, "--no-run"], "cargo bench", cwd=root, env=env)
        first = ["chrt", "--rr", "1"] if options.realtime else []
        checked([*first, *command], "cargo bench", cwd=root, env=env)
    except (Missing, OSError) as reason:
        print(f"the roofline is skipped: {reason}", file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="the five nets, few rounds; no page")
    parser.add_argument("--only", default="", help="parts of cases' names, comma between")
    parser.add_argument("--pass", dest="which", default="", help="train, infer, both")
    parser.add_argument("--batch", default="", help="batches, comma between")
    parser.add_argument("--bars", action="store_true", help="only cases that have a bar to reach")
    parser.add_argument("--peers", default="pytorch,burn,candle", help="comma between")
    parser.add_argument("--modes", default="", help="of those that have them; comma between")
    parser.add_argument("--rounds", type=int, help="how many times the peers take turns")
    parser.add_argument("--seconds", type=float, help="of each turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--realtime", action="store_true", help="before all other work of the machine (Linux, root)"
    )
    parser.add_argument("--output", type=Path, help="the page to write; docs/benchmarks.md")
    parser.add_argument("--json", type=Path, help="where to write every round's numbers")
    return parser.parse_args()


def chosen(options):
    for case in cases.all_cases():
        parts = options.only.split(",")
        if not any(part.lower() in f"{case.net.name} {case.net.title}".lower() for part in parts):
            continue
        is_extra = case.net.single_layer or case.net in cases.LARGE_NETS or case.batch == cases.UNEVEN
        if options.quick and not options.only and is_extra:
            continue
        if options.which and case.which not in options.which.split(","):
            continue
        if options.bars and not case.bar:
            continue
        if options.batch and str(case.batch) not in options.batch.split(","):
            continue
        yield case


def main():
    options = arguments()
    rounds = options.rounds or (3 if options.quick else 7)
    seconds = options.seconds or (0.3 if options.quick else 0.6)
    builds = {
        "typenet": rust("compare-typenet"),
        "pytorch": pytorch(options.threads),
        "burn": rust("compare-burn"),
        "candle": rust("compare-candle"),
    }
    wanted = ["typenet", *filter(None, options.peers.split(","))]
    peers, missing = [], {}
    for name in wanted:
        print(f"building {name} …", file=sys.stderr, flush=True)
        try:
            modes = options.modes.split(",")
            peers.append(Peer(name, builds[name], options.threads, options.realtime, modes))
        except (Missing, OSError) as reason:
            missing[name] = str(reason)
            print(f"{name} is skipped: {reason}", file=sys.stderr, flush=True)
    if not peers or peers[0].name != "typenet":
        sys.exit("without typenet there is nothing to compare")

    results = []
    for case in chosen(options):
        times, why = rounds_of(case, peers, rounds, seconds)
        results.append((case, times, why))
        print(report.line(case, times, why), flush=True)
    for peer in peers:
        peer.stop()

    page = report.page(results, peers, missing, options, rounds, seconds)
    if options.json:
        options.json.write_text(json.dumps(report.raw(results), indent=1))
    output = options.output or (HERE.parents[1] / "docs" / "benchmarks.md")
    if options.quick and not options.output:
        print("\n" + page)
    else:
        output.write_text(page)
    if not options.quick and not options.only:
        roofline(options)


if __name__ == "__main__":
    main()
