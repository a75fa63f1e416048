"""The module as a program in Python uses it; `examples/python/test` runs this."""

import ast
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fashion
import numpy as np
import pytest

HERE = Path(__file__).parent
NAMES = ["boot", "dress", "sneaker", "trouser"]


def picture(name):
    """The pixels of a grey PNG file of 28×28, read without a library."""
    data = (HERE / "../classify/pictures" / f"{name}.png").read_bytes()
    at, packed = 8, b""
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(28, 29)
    pixels = np.zeros((29, 29), int)
    for y, (kind, *numbers) in enumerate(rows.tolist(), 1):
        for x, number in enumerate(numbers, 1):
            left, up, corner = int(pixels[y, x - 1]), int(pixels[y - 1, x]), int(pixels[y - 1, x - 1])
            near = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
            pixels[y, x] = (number + [0, left, up, (left + up) // 2, near][kind]) % 256
    return pixels[1:, 1:].astype(np.uint8)


@pytest.fixture(scope="module")
def images():
    return np.stack([picture(name) for name in NAMES])


def normalised(images):
    return ((images / np.float32(255) - np.float32(fashion.mean)) / np.float32(fashion.std)).astype(np.float32)


def many(count):
    return np.random.default_rng(1).integers(0, 256, (count, 28, 28), np.uint8)


def test_the_classes_of_known_pictures(images):
    assert len(fashion.classes) == 10 and set(NAMES) < set(fashion.classes)
    for name, image in zip(NAMES, images):
        found = fashion.probabilities(image)
        assert found.shape == (10,) and found.dtype == np.float32
        assert fashion.classes[found.argmax()] == name
        assert found.sum() == pytest.approx(1, abs=1e-5)


def test_a_batch_says_what_its_images_say(images):
    one = np.stack([fashion.probabilities(image) for image in images])
    np.testing.assert_allclose(fashion.probabilities(images), one, atol=1e-5)
    batch = many(2500)
    found = fashion.probabilities(batch)
    assert found.shape == (2500, 10)
    for at in (0, 1023, 1024, 2499):
        np.testing.assert_allclose(found[at], fashion.probabilities(batch[at]), atol=1e-5)
    assert fashion.probabilities(batch[:1]).shape == (1, 10)
    assert fashion.probabilities(batch[:0]).shape == (0, 10)


def test_floats_are_normalised_numbers(images):
    expected = fashion.probabilities(images)
    np.testing.assert_allclose(fashion.probabilities(normalised(images)), expected, atol=1e-5)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_arrays_in_another_order_are_copied(images, kind):
    images = images if kind is np.uint8 else normalised(images)
    expected = fashion.probabilities(images)
    fortran = np.asfortranarray(images)
    assert not fortran.flags.c_contiguous
    every_second = np.repeat(images, 2, axis=0)[::2]
    turned = images[:, ::-1, ::-1].copy()[:, ::-1, ::-1]
    for other in (fortran, every_second, turned):
        assert (fashion.probabilities(other) == expected).all()
    read_only = images.copy()
    read_only.flags.writeable = False
    assert (fashion.probabilities(read_only) == expected).all()


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ([[0] * 28] * 28, TypeError, "a numpy array, not list"),
        (None, TypeError, "a numpy array, not NoneType"),
        (np.zeros((28, 28)), TypeError, "not float64"),
        (np.zeros((28, 28), np.int32), TypeError, "not int32"),
        (np.zeros((28, 28), ">f4"), TypeError, "not >f4"),
        (np.zeros(784, np.uint8), ValueError, r"not \[784\]"),
        (np.zeros((28, 27), np.uint8), ValueError, r"not \[28, 27\]"),
        (np.zeros((1, 1, 28, 28), np.uint8), ValueError, r"not \[1, 1, 28, 28\]"),
        (np.uint8(1), TypeError, "a numpy array"),
        (np.array(1, np.uint8), ValueError, r"not \[\]"),
        (np.zeros(3137, np.uint8)[1:].view(np.float32).reshape(28, 28), ValueError, "not aligned"),
    ],
)
def test_what_is_wrong_is_said(wrong, error, text):
    with pytest.raises(error, match=text):
        fashion.probabilities(wrong)
    with pytest.raises(TypeError):
        fashion.probabilities()


def test_many_threads_get_the_same_bits(images):
    batch = many(100)
    expected = fashion.probabilities(images[0]), fashion.probabilities(batch)

    def work(_):
        found = fashion.probabilities(images[0]), fashion.probabilities(batch)
        return all((a == b).all() for a, b in zip(found, expected))

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(200)))


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_other_threads_run_during_a_call(kind):
    batch = many(20_000) if kind is np.uint8 else normalised(many(20_000))
    ticks, stop = [], threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    fashion.probabilities(batch)
    end = time.perf_counter()
    stop.set()
    thread.join()
    # Not at its ends, where this thread holds the lock.
    margin = (end - start) / 10
    during = sum(start + margin < moment < end - margin for moment in ticks)
    print(f"{during} ticks in {1000 * (end - start):.0f} ms")
    assert during >= 3


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_what_a_call_adds_is_printed(images, kind):
    image = images[0] if kind is np.uint8 else normalised(images[0])
    calls, python, rust = 500, [], []
    # The one after the other, so that other work of the machine slows down both.
    for _ in range(30):
        start = time.perf_counter()
        for _ in range(calls):
            fashion.probabilities(image)
        python.append((time.perf_counter() - start) / calls)
        rust.append(fashion._rust_seconds(image, calls))
    python, rust = 1e6 * min(python), 1e6 * min(rust)
    print(f"{kind.__name__}: {python:.2f} µs a call in Python, {rust:.2f} µs in Rust: {python - rust:.2f} µs more")
    assert np.isfinite(python - rust)


def test_the_program_of_the_guide_runs(capsys):
    text = (HERE / "../../docs/python.md").read_text()
    exec(text.split("```python\n")[1].split("```")[0], {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[0].split()[0] in fashion.classes and lines[1] == "(1000, 10)"


def test_the_stubs_name_what_the_module_has():
    tree = ast.parse((HERE / "fashion.pyi").read_text())
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    names |= {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)}
    assert names - {"__version__"} == {name for name in dir(fashion) if not name.startswith("__")}
    assert fashion.__version__ == "0.1.0"
