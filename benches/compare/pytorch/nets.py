"""The five nets, and single layers by their description, as PyTorch modules."""

import torch
from torch import nn
from torch.nn import functional as F


def mlp():
    return nn.Sequential(
        nn.Flatten(),
        *(nn.Linear(784, 256), nn.ReLU()),
        *(nn.Linear(256, 128), nn.ReLU()),
        nn.Linear(128, 10),
    )


def lenet5():
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Flatten(),
        *(nn.Linear(256, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU()),
        nn.Linear(84, 10),
    )


def vgg6():
    layers, channels = [], 3
    for out in 32, 64, 128:
        for _ in range(2):
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU(inplace=True)]
            channels = out
        layers += [nn.MaxPool2d(2)]
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(2048, 128), nn.ReLU(inplace=True), nn.Linear(128, 10)
    )


def normed(channels, out, kernel, stride=1, groups=1):
    """A convolution without bias that keeps the size, and its batch norm."""
    return nn.Sequential(
        nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out),
    )


class Block(nn.Module):
    """The basic block of a residual net."""

    inplace = True

    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = normed(channels, out, 3, stride)
        self.conv2 = normed(out, out, 3)
        self.shortcut = normed(channels, out, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        y = F.relu(self.conv1(x), inplace=self.inplace)
        return F.relu(self.conv2(y) + self.shortcut(x), inplace=self.inplace)


def head(channels):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def resnet20():
    layers, channels = [normed(3, 16, 3), nn.ReLU(inplace=True)], 16
    for out in 16, 32, 64:
        for _ in range(3):
            layers += [Block(channels, out, 2 if channels != out else 1)]
            channels = out
    return nn.Sequential(*layers, head(64))


def separable():
    layers, channels = [normed(3, 32, 3), nn.ReLU(inplace=True)], 32
    for out, stride in (64, 1), (128, 2), (128, 1), (256, 2), (256, 1):
        layers += [normed(channels, channels, 3, stride, groups=channels), nn.ReLU(inplace=True)]
        layers += [normed(channels, out, 1), nn.ReLU(inplace=True)]
        channels = out
    return nn.Sequential(*layers, head(256))


class Stage(nn.Sequential):
    def __init__(self, channels, out):
        super().__init__(
            *(nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out)),
            nn.ReLU(inplace=True),
            *(nn.Conv2d(out, out, 3, padding=1, bias=False), nn.BatchNorm2d(out)),
            nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    """The U-Net of typenet's zoo."""

    def __init__(self):
        super().__init__()
        widths = [32, 64, 128, 256]
        self.down = nn.ModuleList(Stage(*pair) for pair in zip([3, *widths], widths))
        self.bottleneck = Stage(256, 512)
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in widths)
        self.join = nn.ModuleList(Stage(2 * w, w) for w in widths)
        self.conv = nn.Conv2d(32, 1, 1)

    def forward(self, x):
        skipped = []
        for stage in self.down:
            x = stage(x)
            skipped.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottleneck(x)
        for up, join in reversed(list(zip(self.up, self.join))):
            x = join(torch.cat((up(x), skipped.pop()), 1))
        return self.conv(x)


def of_torchvision(name):
    """A net of torchvision with random weights."""

    def make():
        import torchvision

        return getattr(torchvision.models, name)(weights=None)

    return make


LARGE = (3, 224, 224)

NETS = {
    "mlp": (mlp, (1, 28, 28)),
    "lenet5": (lenet5, (1, 28, 28)),
    "vgg6": (vgg6, (3, 32, 32)),
    "resnet20": (resnet20, (3, 32, 32)),
    "separable": (separable, (3, 32, 32)),
    "resnet18": (of_torchvision("resnet18"), LARGE),
    "mobilenet_v2": (of_torchvision("mobilenet_v2"), LARGE),
    "resnet50": (of_torchvision("resnet50"), LARGE),
    "squeezenet": (of_torchvision("squeezenet1_1"), LARGE),
    "densenet121": (of_torchvision("densenet121"), LARGE),
    "unet": (UNet, (3, 128, 128)),
}


def build(name):
    """The module and the shape of its input."""
    if name in NETS:
        make, shape = NETS[name]
        return make(), shape
    kind, *numbers = name.split(",")
    numbers = [int(number) for number in numbers]
    if kind == "linear":
        return nn.Linear(*numbers), numbers[:1]
    if kind == "conv2d":
        *shape, out, kernel, stride, padding, groups = numbers
        return nn.Conv2d(shape[0], out, kernel, stride, padding, groups=groups), shape
    raise ValueError(f"no net `{name}`")
