"""Times PyTorch for the comparison: the line protocol of ../driver/src/lib.rs.

usage: driver.py THREADS
"""

import itertools
import sys
import time
import warnings

import torch
import torch._inductor.config
from torch import nn
from torch.nn import functional as F

import nets

MODES = {
    # Name: (channels_last, compiled, weights frozen into the compiled graph).
    "eager": (False, False, False),
    "channels_last": (True, False, False),
    "compile": (False, True, False),
    "compile+channels_last": (True, True, False),
}
FROZEN = {
    "freeze": (False, True, True),
    "freeze+channels_last": (True, True, True),
}


def sample(seconds, step):
    """Seconds per step, as the drivers in Rust take them."""
    clock = time.perf_counter
    warm, fastest, steps = clock(), float("inf"), 0
    while steps < 3 or clock() - warm < seconds / 5:
        start = clock()
        step()
        fastest = min(fastest, clock() - start)
        steps += 1
    together = int(min(max(50e-6 // fastest + 1, 1), 1e6))
    start, samples = clock(), []
    while len(samples) < 3 or clock() - start < seconds:
        begin = clock()
        for _ in range(together):
            step()
        samples.append((clock() - begin) / together)
    return samples


class Peer:
    """The steps that were compiled once are kept: compiling takes the most time."""

    def __init__(self):
        self.steps = {}

    def run(self, net, which, batch, mode, seconds):
        key = (net, which, batch, mode)
        if key not in self.steps:
            self.steps[key] = make_step(*key)
        return sample(seconds, self.steps[key])


def make_step(net, which, batch, mode):
    channels_last, compiled, frozen = {**MODES, **FROZEN}[mode]
    if frozen and which != "infer":
        raise ValueError("weights are frozen in inference only")
    torch._dynamo.reset()
    torch.manual_seed(1)
    model, shape = nets.build(net)
    x = torch.randn(batch, *shape)
    if channels_last:
        if x.dim() != 4:
            raise ValueError("the net has no channels")
        model = model.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)

    if which.startswith("jvp"):
        return jvp_step(model, x, which, compiled)
    if which == "infer":
        model.eval()
        torch._inductor.config.freezing = frozen
        call = torch.compile(model) if compiled else model

        def step():
            with torch.inference_mode():
                call(x)

        if frozen:

            def step():
                with torch.no_grad():
                    call(x)

        return step

    model.train()
    if which == "both":
        call = torch.compile(model) if compiled else model
        gradient = torch.randn_like(model(x))

        def step():
            model.zero_grad(set_to_none=True)
            call(x).backward(gradient)

        return step

    labels = torch.randint(10, (batch,))
    optimizer = torch.optim.SGD(
        model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4, fused=True
    )

    def loss(x, labels):
        return F.cross_entropy(model(x), labels)

    if compiled:
        loss = torch.compile(loss)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss(x, labels).backward()
        optimizer.step()

    return step


def jvp_step(model, x, which, compiled):
    """Forward mode along a direction of the input, or of input and parameters."""
    model.eval()
    for module in model.modules():
        # It would overwrite what the tangent is made of.
        if hasattr(module, "inplace"):
            module.inplace = False
    parameters = dict(model.named_parameters())
    moves = {name: torch.randn_like(value) for name, value in parameters.items()}
    direction = torch.randn_like(x)

    if which == "jvp":

        def run():
            return torch.func.jvp(model, (x,), (direction,))

    else:

        def run():
            def call(x, parameters):
                return torch.func.functional_call(model, parameters, (x,))

            return torch.func.jvp(call, (x, parameters), (direction, moves))

    if compiled:
        run = torch.compile(run)

    def step():
        with torch.no_grad():
            run()

    return step


def main():
    threads = int(sys.argv[1])
    torch.set_num_threads(threads)
    warnings.filterwarnings("ignore")
    answers = sys.stdout
    sys.stdout = sys.stderr
    peer = Peer()
    print("ready PyTorch", torch.__version__, file=answers, flush=True)
    for line in sys.stdin:
        try:
            match line.split():
                case ["modes"]:
                    answer = " ".join(itertools.chain(MODES, FROZEN))
                case ["run", net, which, batch, mode, seconds]:
                    samples = peer.run(net, which, int(batch), mode, float(seconds))
                    answer = " ".join(f"{s:.4e}" for s in samples)
                case _:
                    raise ValueError("the lines are: modes, run")
            print("ok", answer, file=answers, flush=True)
        except Exception as error:
            print("no", " ".join(str(error).split())[:300], file=answers, flush=True)


main()
