import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from genmodels.data.sources.decode import Policy, check_size, decode, read_header, resize_pixels
from genmodels.data.sources.imagefolder import ImageFolder

ANY = {"size": None, "resize": "fit", "channels": 3, "alpha": "white", "max_pixels": 10**6}


def policy(**changes):
    return Policy(**(ANY | changes))


def saved(tmp_path, array, mode=None, suffix="png", **options):
    picture = Image.fromarray(np.asarray(array))
    picture = picture.convert(mode) if mode else picture
    file = tmp_path / f"picture.{suffix}"
    picture.save(file, **options)
    return str(file)


@pytest.fixture
def colour():
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def test_rgb_comes_back_unchanged_channels_first(tmp_path, colour):
    assert (decode(saved(tmp_path, colour), policy()) == colour.transpose(2, 0, 1)).all()


@pytest.mark.parametrize("suffix", ["webp", "bmp", "tif", "tiff", "jpg", "jpeg"])
def test_every_format_is_read_with_its_shape(tmp_path, colour, suffix):
    file = saved(tmp_path, colour, suffix=suffix)
    header = read_header(file, 10**6)
    assert decode(file, policy()).shape == (3, 6, 9) == (3, header.height, header.width)
    assert not header.gray


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_mode_gives_the_asked_channels(tmp_path, colour, mode, channels):
    suffix = {"CMYK": "jpg", "YCbCr": "jpg", "LAB": "tif"}.get(mode, "png")
    file = saved(tmp_path, colour, mode, suffix)
    assert decode(file, policy(channels=channels)).shape == (channels, 6, 9)
    assert read_header(file, 10**6).gray == (mode in ("1", "L", "LA"))


@pytest.mark.parametrize(("alpha", "expected"), [("white", 255), ("drop", 10)])
def test_alpha_policy_on_a_fully_transparent_picture(tmp_path, alpha, expected):
    clear = np.full((2, 2, 4), 10, np.uint8)
    clear[..., 3] = 0
    file = saved(tmp_path, clear)
    assert (decode(file, policy(alpha=alpha)) == expected).all()
    assert (decode(file, policy(alpha=alpha, channels=4))[3] == 0).all()
    assert read_header(file, 10**6).alpha


def test_half_transparent_blends_with_white(tmp_path):
    half = np.full((1, 1, 4), 100, np.uint8)
    half[..., 3] = 51
    expected = round(100 * 0.2 + 255 * 0.8)
    assert abs(int(decode(saved(tmp_path, half), policy())[0, 0, 0]) - expected) <= 1


def test_transparent_palette_is_transparency(tmp_path):
    picture = Image.new("P", (3, 2), 0)
    picture.putpalette([7, 8, 9, 0, 0, 0])
    file = tmp_path / "p.png"
    picture.save(file, transparency=bytes([0, 255]))
    assert read_header(str(file), 10**6).alpha
    assert (decode(str(file), policy(alpha="white")) == 255).all()
    assert decode(str(file), policy(alpha="drop"))[:, 0, 0].tolist() == [7, 8, 9]


def test_sixteen_bits_become_eight_by_rounding(tmp_path):
    values = np.array([[0, 128, 129, 257, 32768, 65535]], np.uint16)
    expected = np.rint(values / 257).astype(np.uint8)
    for suffix in ("png", "tif"):
        file = saved(tmp_path, values, suffix=suffix)
        assert read_header(file, 10**6).gray
        assert (decode(file, policy(channels=1))[0] == expected).all()


def test_float_files_are_refused_because_their_range_is_unknown(tmp_path):
    file = saved(tmp_path, np.ones((2, 2), np.float32), suffix="tif")
    with pytest.raises(ValueError, match="no agreed range"):
        read_header(file, 10**6)


def test_exif_orientation_is_applied(tmp_path, colour):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown rotated by a quarter turn, clockwise
    expected = np.rot90(colour, -1).transpose(2, 0, 1)
    file = saved(tmp_path, colour, suffix="png", exif=exif)
    assert (decode(file, policy()) == expected).all()
    file = saved(tmp_path, colour, suffix="jpg", exif=exif)
    header = read_header(file, 10**6)
    assert (header.height, header.width) == (9, 6)
    assert decode(file, policy()).shape == (3, 9, 6)


def test_a_picture_that_claims_too_many_pixels_is_not_decoded(tmp_path, colour):
    file = saved(tmp_path, colour)
    for read in (lambda: read_header(file, 53), lambda: decode(file, policy(max_pixels=53))):
        with pytest.raises(ValueError, match=r"claims 54 pixels, more than data\.max_pixels=53"):
            read()


def test_a_bomb_of_a_picture_is_listed_as_unreadable(tmp_path):
    """A header of 60 bytes that claims 900 million pixels."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b"")]
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    with pytest.raises(ValueError, match=r"bomb\.png.*900000000 pixels"):
        ImageFolder(path=tmp_path).load()


def test_resize_policies_on_a_black_and_white_strip(tmp_path):
    strip = np.zeros((4, 8), np.uint8)
    strip[:, 2:6] = 255  # white in the middle half
    file = saved(tmp_path, strip)

    def read(resize, size=(4, 4)):
        return decode(file, policy(size=size, resize=resize, channels=1))[0]

    assert (read("crop") == 255).all()
    assert (read("fit") == 255).all()
    assert read("stretch")[0].tolist() == pytest.approx([0, 255, 255, 0], abs=40)
    padded = read("pad")
    assert (padded[0] == 0).all()
    assert (padded[3] == 0).all()
    assert padded[1, 1] > 200
    assert read("fit", (2, 5)).shape == (2, 5)


def test_downscaling_is_antialiased(tmp_path):
    checker = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    file = saved(tmp_path, checker)
    small = decode(file, policy(size=(8, 8), channels=1))
    assert small.min() > 110
    assert small.max() < 145


def test_crop_does_not_enlarge(tmp_path, colour):
    with pytest.raises(ValueError, match=r"smaller than data\.size=8x8"):
        decode(saved(tmp_path, colour), policy(size=(8, 8), resize="crop"))


def test_large_jpegs_keep_their_colours_when_decoded_at_a_fraction(tmp_path):
    ramp = np.zeros((512, 512, 3), np.uint8)
    ramp[..., 0] = np.arange(512) // 2
    ramp[..., 1] = np.arange(512)[:, None] // 2
    file = saved(tmp_path, ramp, suffix="jpg", quality=95)
    small = decode(file, policy(size=(16, 16)))
    exact = np.asarray(Image.fromarray(ramp).resize((16, 16), Image.Resampling.BICUBIC))
    assert np.abs(small.transpose(1, 2, 0).astype(int) - exact).max() < 6


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_arrays_of_any_channels_are_resized_channel_by_channel(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (3, channels, 5, 9), dtype=np.uint8)
    out = resize_pixels(pixels, (4, 6), "stretch")
    assert out.shape == (3, channels, 4, 6)
    again = Image.fromarray(pixels[2, -1]).resize((6, 4), Image.Resampling.BICUBIC)
    assert (out[2, -1] == np.asarray(again)).all()
    assert resize_pixels(pixels, None, "fit") is pixels
    with pytest.raises(ValueError, match="does not enlarge"):
        resize_pixels(pixels, (6, 6), "crop")


def test_sizes_are_checked():
    assert check_size(None) is None
    assert check_size(8) == (8, 8)
    assert check_size([4, 6]) == (4, 6)
    for wrong in (0, [1, 2, 3], [4, -1], "8", 2.5, True):
        with pytest.raises(ValueError, match=r"data\.size must be"):
            check_size(wrong)
