"""The recipes of `cifar10.rs` in PyTorch, to compare accuracy and time on the same machine and data:

    python examples/cifar10.py --data DIR --recipe quick --seed 0 --threads 2

The folder is that of `cifar10.rs`: `train/cat/0001.jpg` and so on, and `test/`. It needs torch, numpy and
pillow. Images are decoded before the clock starts, and changed on the same threads as the net trains.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

BATCH = 500
WIDTHS = {"quick": (32, 128), "full": (64, 256)}
EPOCHS = {"quick": 13, "full": 10}


def read(folder):
    classes = sorted(path.name for path in folder.iterdir())
    images, labels = [], []
    for label, name in enumerate(classes):
        for path in sorted((folder / name).iterdir()):
            images.append(np.asarray(Image.open(path).convert("RGB")))
            labels.append(label)
    images = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    return images, torch.tensor(labels)


def group(channels, out):
    norm = lambda: nn.BatchNorm2d(out, momentum=0.4)
    conv = lambda channels: nn.Conv2d(channels, out, 3, padding=1, bias=False)
    return nn.Sequential(
        conv(channels), nn.MaxPool2d(2), norm(), nn.GELU(), conv(out), norm(), nn.GELU()
    )


class AirNet(nn.Module):
    def __init__(self, first, rest):
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        self.groups = nn.Sequential(group(24, first), group(first, rest), group(rest, rest))
        self.head = nn.Linear(rest, 10, bias=False)

    def forward(self, x):
        x = self.groups(F.gelu(self.whiten(x)))
        return self.head(F.max_pool2d(x, 3).flatten(1)) * 0.111


def whiten(layer, images, eps=5e-4):
    """Both signs of the patches' principal components, each scaled to variance 1."""
    patches = images.unfold(2, 2, 1).unfold(3, 2, 1)
    patches = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, 12)
    patches = patches - patches.mean(0)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    rows = (vectors / torch.sqrt(values + eps)).T.reshape(-1, 3, 2, 2)
    layer.weight.data = torch.cat([rows, -rows])
    layer.bias.data.zero_()
    layer.requires_grad_(False)


class Muon:
    """torch.optim.Muon takes matrices alone; this one takes filters as such."""

    def __init__(self, parameters, learning_rate, momentum, weight_decay):
        self.parameters = parameters
        self.settings = learning_rate, momentum, weight_decay
        self.buffers = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self, factor):
        learning_rate, momentum, weight_decay = self.settings
        learning_rate *= factor
        for p, buffer in zip(self.parameters, self.buffers):
            buffer.lerp_(p.grad, 1 - momentum)
            u = p.grad.lerp(buffer, momentum).reshape(len(p), -1)
            rows, columns = u.shape
            u = u.T if rows > columns else u
            u = u / (u.norm() + 1e-7)
            for _ in range(5):
                a = u @ u.T
                u = 3.4445 * u + (-4.775 * a + 2.0315 * a @ a) @ u
            u = u.T if rows > columns else u
            p.mul_(1 - learning_rate * weight_decay)
            p.add_(u.reshape(p.shape), alpha=-learning_rate * max(1, rows / columns) ** 0.5)


def change(images, indices, epoch, flipped, generator):
    """A crop of the image with two reflected pixels around it, and every other epoch its mirror image."""
    padded = F.pad(images[indices], (2, 2, 2, 2), mode="reflect")
    out = torch.empty(len(indices), 3, 32, 32)
    shifts = torch.randint(0, 5, (len(indices), 2), generator=generator)
    for dy in range(5):
        for dx in range(5):
            of = (shifts[:, 0] == dy) & (shifts[:, 1] == dx)
            out[of] = padded[of, :, dy : dy + 32, dx : dx + 32]
    mirrored = flipped[indices] ^ bool(epoch % 2)
    out[mirrored] = out[mirrored].flip(3)
    return out.contiguous(memory_format=torch.channels_last)


def accuracy(net, images, labels, mirrored):
    net.eval()
    right = 0
    with torch.inference_mode():
        for x, y in zip(images.split(500), labels.split(500)):
            logits = net(x.contiguous(memory_format=torch.channels_last))
            if mirrored:
                logits += net(x.flip(3).contiguous(memory_format=torch.channels_last))
            right += (logits.argmax(1) == y).sum().item()
    return 100 * right / len(labels)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", choices=list(WIDTHS), default="quick")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="torch.compile the step")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    generator = torch.Generator().manual_seed(arguments.seed)

    (train, labels), (test, test_labels) = (read(arguments.data / part) for part in ("train", "test"))
    mean, std = train.mean((0, 2, 3), keepdim=True), train.std((0, 2, 3), keepdim=True)
    train, test = (train - mean) / std, (test - mean) / std

    net = AirNet(*WIDTHS[arguments.recipe])
    whiten(net.whiten, train[:: len(train) // 5000])
    net = net.to(memory_format=torch.channels_last)
    model = torch.compile(net) if arguments.compile else net

    for group in net.groups:
        for layer in group:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_uniform_(layer.weight)
                nn.init.dirac_(layer.weight[: layer.in_channels])

    epochs = arguments.epochs or EPOCHS[arguments.recipe]
    trained = [p for p in net.parameters() if p.requires_grad]
    filters = [p for p in trained if p.ndim == 4]
    others = [p for p in trained if p.ndim < 4]
    muon = Muon(filters, 0.12, 0.6, 0.1)
    adamw = torch.optim.AdamW(others, lr=0.01, weight_decay=0.1)
    steps = -(-len(train) // BATCH)
    linear = lambda step: 1 - step / (epochs * steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(adamw, linear)
    flipped = torch.rand(len(train), generator=generator) < 0.5
    start = time.time()
    for epoch in range(epochs):
        model.train()
        total = 0
        for indices in torch.randperm(len(train), generator=generator).split(BATCH):
            x = change(train, indices, epoch, flipped, generator)
            loss = F.cross_entropy(model(x), labels[indices], label_smoothing=0.2)
            net.zero_grad()
            loss.backward()
            muon.step(linear(schedule.last_epoch))
            adamw.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1:3}  loss {total / steps:.4f}  {time.time() - start:.0f} s", flush=True)
    print(f"trained in {time.time() - start:.0f} s")
    print(f"test accuracy: {accuracy(net, test, test_labels, False):.2f} %")
    print(f"with mirrored images: {accuracy(net, test, test_labels, True):.2f} %")


if __name__ == "__main__":
    main()
