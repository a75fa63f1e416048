"""What is compared: nets, passes, batches, and the bars to reach."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Net:
    """A net or a single layer, by the name that the peers know."""

    name: str
    title: str
    batch: int
    multiply_adds: int
    single_layer: bool = False


@dataclass(frozen=True)
class Case:
    net: Net
    which: str
    batch: int
    # The ratio to PyTorch that is wanted, if one is.
    bar: float | None = None

    @property
    def title(self):
        return f"{self.net.title} {PASSES[self.which]} ({self.batch})"

    @property
    def flops(self):
        """As in every publication: twice the multiply-adds forward, three times that for a step."""
        times = {"infer": 2, "jvp": 4}.get(self.which, 6)
        return times * self.net.multiply_adds * self.batch


PASSES = {
    "train": "training step",
    "infer": "inference",
    "both": "forward and backward",
    "jvp": "forward mode, input",
    "jvp_of_all": "forward mode, input and parameters",
}

NETS = [
    Net("mlp", "MLP", 128, 234_752),
    Net("lenet5", "LeNet-5", 128, 281_640),
    Net("vgg6", "VGG-6", 64, 38_899_968),
    Net("resnet20", "ResNet-20", 64, 40_813_184),
    Net("separable", "depthwise-separable", 64, 16_548_352),
]

# The nets of the zoo, on 224×224 images but for the last: multiply-adds of torchvision's.
LARGE_NETS = [
    Net("resnet18", "ResNet-18", 8, 1_814_073_344),
    Net("mobilenet_v2", "MobileNetV2", 8, 300_774_272),
    Net("resnet50", "ResNet-50", 8, 4_089_184_256),
    Net("squeezenet", "SqueezeNet 1.1", 8, 349_151_936),
    Net("densenet121", "DenseNet-121", 8, 2_834_161_664),
    Net("unet", "U-Net, 128×128", 8, 3_017_801_728),
]

LARGE_BATCHES = [1, 4, 8, 32]

# Of the time of `torch.func.jvp`.
JVP_BAR = 1.5

# Of PyTorch's time: inference of one image and of eight.
LARGE_BARS = {
    "resnet18": {1: 1.5, 8: 1.3},
    "mobilenet_v2": {1: 1.5, 8: 1.1},
    "resnet50": {1: 1.2, 8: 1.2},
    "squeezenet": {1: 1.3, 8: 1.2},
    "densenet121": {1: 1.2, 8: 1.1},
    "unet": {1: 1.2, 8: 1.2},
}

# Of PyTorch's time: training steps of so many images.
LARGE_STEPS = {
    "resnet18": {4: 1.2, 8: 1.3, 32: 1.3},
    "mobilenet_v2": {4: 1.1, 8: 1.1, 32: 1.1},
    "resnet50": {4: 1.1, 8: 1.1},
    "squeezenet": {4: 1.1, 8: 1.1},
    "densenet121": {4: 1.0, 8: 1.0},
    "unet": {4: 1.1, 8: 1.1},
}

# Of PyTorch's time: a training step, one image, a batch of images.
BARS = {
    "mlp": (1.5, 3, 1.1),
    "lenet5": (4, 15, 3.5),
    "vgg6": (1.6, 2, 1.7),
    "resnet20": (1.4, 3, 1.5),
    "separable": (1.9, 3, 1.5),
}

# No multiple of 16.
UNEVEN = 100

# Channels, height, width, out, kernel, stride, padding, groups.
CONVOLUTIONS = [
    ("first layer, 1 channel, 5×5", (1, 28, 28, 6, 5, 1, 0, 1)),
    ("first layer, 1 channel, 3×3", (1, 28, 28, 32, 3, 1, 1, 1)),
    ("first layer, 3 channels, 3×3", (3, 32, 32, 32, 3, 1, 1, 1)),
    ("first layer, 3 channels, 5×5", (3, 32, 32, 64, 5, 1, 2, 1)),
    ("3×3, small", (8, 14, 14, 16, 3, 1, 1, 1)),
    ("3×3, middle", (32, 32, 32, 32, 3, 1, 1, 1)),
    ("3×3, large", (128, 28, 28, 128, 3, 1, 1, 1)),
    ("5×5, small", (6, 12, 12, 16, 5, 1, 0, 1)),
    ("5×5, middle", (32, 16, 16, 32, 5, 1, 2, 1)),
    ("5×5, large", (64, 28, 28, 64, 5, 1, 2, 1)),
    ("1×1, small", (16, 14, 14, 16, 1, 1, 0, 1)),
    ("1×1, middle", (64, 16, 16, 128, 1, 1, 0, 1)),
    ("1×1, large", (256, 14, 14, 256, 1, 1, 0, 1)),
    ("depthwise 3×3, small", (32, 14, 14, 32, 3, 1, 1, 32)),
    ("depthwise 3×3, middle", (64, 32, 32, 64, 3, 1, 1, 64)),
    ("depthwise 3×3, large", (256, 28, 28, 256, 3, 1, 1, 256)),
    ("depthwise 3×3, stride 2", (128, 32, 32, 128, 3, 2, 1, 128)),
    ("3×3, stride 2, small", (16, 32, 32, 32, 3, 2, 1, 1)),
    ("3×3, stride 2, middle", (64, 32, 32, 128, 3, 2, 1, 1)),
    ("3×3, stride 2, large", (128, 28, 28, 256, 3, 2, 1, 1)),
]

LINEAR = [
    ("linear, small", (84, 10)),
    ("linear, middle", (784, 256)),
    ("linear, large", (2048, 1024)),
]

LAYER_BATCH = 64


def convolution(title, sizes):
    channels, height, width, out, kernel, stride, padding, groups = sizes
    high, wide = ((side + 2 * padding - kernel) // stride + 1 for side in (height, width))
    work = out * high * wide * channels // groups * kernel * kernel
    title = f"{title}: {channels}×{height}×{width} to {out}"
    return Net("conv2d," + ",".join(map(str, sizes)), title, LAYER_BATCH, work, single_layer=True)


def linear(title, sizes):
    title = f"{title}: {sizes[0]} to {sizes[1]}"
    name = "linear," + ",".join(map(str, sizes))
    return Net(name, title, LAYER_BATCH, sizes[0] * sizes[1], single_layer=True)


LAYERS = [convolution(*layer) for layer in CONVOLUTIONS] + [linear(*layer) for layer in LINEAR]


def all_cases():
    cases = []
    for net in NETS:
        step, one, many = BARS[net.name]
        cases.append(Case(net, "train", net.batch, step))
        cases.append(Case(net, "infer", 1, one))
        cases.append(Case(net, "infer", net.batch, many))
        cases.append(Case(net, "train", UNEVEN))
        cases.append(Case(net, "infer", UNEVEN))
    for net in NETS[2:4]:
        cases.append(Case(net, "jvp", net.batch, JVP_BAR))
        cases.append(Case(net, "jvp_of_all", net.batch, JVP_BAR))
    for net in LARGE_NETS:
        for batch in LARGE_BATCHES:
            cases.append(Case(net, "infer", batch, LARGE_BARS[net.name].get(batch)))
        # The U-Net has no classes to train for.
        which = "both" if net.name == "unet" else "train"
        for batch, bar in LARGE_STEPS[net.name].items():
            cases.append(Case(net, which, batch, bar))
    for layer in LAYERS:
        cases.append(Case(layer, "infer", layer.batch))
        cases.append(Case(layer, "both", layer.batch))
    return cases
