"""Tar shards and Parquet of images: what is in them, that bytes repeat, and reading them back."""

import io
import json
import tarfile
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from genmodels.data.open import open_source
from genmodels.data.sources.packed import ImageParquet, WebDataset
from genmodels.schema import ImageSchema
from genmodels.types import Images
from genmodels.writers.base import Writer
from genmodels.writers.parquet import ParquetWriter
from genmodels.writers.webdataset import WebDatasetWriter
from tests.archives import picture, tar_of
from tests.writers.whole import write_whole

NAMES = ("cat", "dög")


def images_of(channels=3, n=9, labelled=True):
    pixels = np.random.default_rng(0).integers(0, 256, (n, channels, 4, 6), dtype=np.uint8)
    return Images(pixels, np.arange(n) % 2, NAMES) if labelled else Images(pixels)


def halves(images):
    return iter([images.take(np.arange(5)), images.take(np.arange(5, len(images)))])


def tar_writer(rows_per_file=4, **options):
    return WebDatasetWriter(rows_per_file=rows_per_file, workers=2, **options)


def parquet_writer(**options):
    sizes = {"images_per_file": 4, "images_per_group": 3, **options}
    sizes |= {"rows_per_file": 10, "row_group_rows": 10, "compression": "none"}
    return ParquetWriter(schema=ImageSchema(height=4, width=6, channels=3), **sizes)


WRITERS = {"tar": tar_writer, "parquet": parquet_writer}


def test_shards_hold_a_picture_its_class_and_what_is_known(tmp_path):
    images = images_of()
    files = write_whole(tar_writer(), halves(images), tmp_path)
    assert [f.name for f in files] == [f"train-0000{i}-of-00003.tar" for i in range(3)]
    with tarfile.open(files[1]) as archive:
        members = archive.getmembers()
        read = {m.name: archive.extractfile(m).read() for m in members}
    assert [m.name for m in members[:3]] == ["000004.png", "000004.cls", "000004.json"]
    assert len(members) == 12
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    assert read["000005.cls"] == b"1"
    assert json.loads(read["000005.json"]) == {"label": 1, "class_name": "dög", "index": 5}
    with Image.open(io.BytesIO(read["000005.png"])) as picture:
        assert "Synthetic" in picture.text["Comment"]
        assert (np.asarray(picture).transpose(2, 0, 1) == images.pixels[5]).all()


def test_parquet_is_of_the_form_that_datasets_reads(tmp_path):
    images = images_of()
    files = write_whole(parquet_writer(), halves(images), tmp_path)
    assert [f.name for f in files] == [f"train-0000{i}-of-00003.parquet" for i in range(3)]
    table = pq.read_table(files[0])
    told = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert told == {
        "image": {"_type": "Image"},
        "label": {"names": ["cat", "dög"], "_type": "ClassLabel"},
    }
    assert table.schema.field("image").type == pa.struct(
        [("bytes", pa.binary()), ("path", pa.string())]
    )
    assert table["label"].to_pylist() == [0, 1, 0, 1]
    assert pq.read_table(files[1])["image"][1].as_py()["path"] == "000005.png"
    metadata = pq.read_metadata(files[0])
    assert [metadata.row_group(i).num_rows for i in range(2)] == [3, 1]


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_was_written_reads_back(tmp_path, kind, channels):
    images = images_of(channels)
    write_whole(WRITERS[kind](), halves(images), tmp_path)
    source = open_source(tmp_path / "data")
    assert isinstance(source, {"tar": WebDataset, "parquet": ImageParquet}[kind])
    back = source.load()
    assert (back.pixels == images.pixels).all()
    assert (back.labels == images.labels).all()
    assert back.class_names == NAMES
    one = open_source(tmp_path / "data" / f"train-00000-of-00003.{kind}").load()
    assert (one.pixels == images.pixels[:4]).all()
    small = open_source(tmp_path / "data", size=2).load()
    assert small.pixels.shape == (9, channels, 2, 2)


@pytest.mark.parametrize("kind", WRITERS)
def test_unlabelled_images_have_no_class(tmp_path, kind):
    images = images_of(labelled=False)
    write_whole(WRITERS[kind](), halves(images), tmp_path)
    back = open_source(tmp_path / "data").load()
    assert (back.pixels == images.pixels).all()
    assert back.labels is None


@pytest.mark.parametrize("kind", WRITERS)
def test_equal_images_make_equal_bytes(tmp_path, kind):
    bytes_of = []
    for name, blocks in (("a", halves(images_of())), ("b", iter([images_of()]))):
        (tmp_path / name).mkdir()
        files = write_whole(WRITERS[kind](), blocks, tmp_path / name)
        bytes_of.append([file.read_bytes() for file in files])
    assert bytes_of[0] == bytes_of[1]


@pytest.mark.parametrize("kind", WRITERS)
def test_another_content_has_another_fingerprint(tmp_path, kind):
    for name, n in (("a", 9), ("b", 8)):
        (tmp_path / name).mkdir()
        write_whole(WRITERS[kind](), iter([images_of(n=n)]), tmp_path / name)
    a, b = (open_source(tmp_path / name / "data") for name in ("a", "b"))
    assert a.fingerprint() == a.fingerprint() != b.fingerprint()
    assert open_source(tmp_path / "a" / "data", size=2).fingerprint() != a.fingerprint()


def test_what_does_not_suit_is_refused(tmp_path):
    with pytest.raises(ValueError, match="this run makes tables; use format=parquet"):
        write_whole(tar_writer(), iter([pa.table({"a": [1]})]), tmp_path)
    for kind, writer in WRITERS.items():
        (tmp_path / kind).mkdir()
        with pytest.raises(ValueError, match="1 to 4 channels, these images have 5"):
            write_whole(writer(), halves(images_of(5)), tmp_path / kind)
    for call, name in ((tar_writer, "rows_per_file"), (parquet_writer, "images_per_file")):
        with pytest.raises(ValueError, match=f"writer.{name} must be at least 1, got 0"):
            call(**{name: 0})
    with pytest.raises(ValueError, match="compress_level must be 0 to 9"):
        tar_writer(compress_level=10)
    assert isinstance(tar_writer(), Writer)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"a.txt": b"x"}, "holds no images"),
        ({"a.png": b"no picture"}, r"x.tar, a cannot be read"),
        ({"a.png": picture(), "a.cls": b"cat"}, "x.tar, a: its class cannot be read"),
        ({"a.png": picture(), "a.json": b"[" * 200_000}, "x.tar, a: its class cannot be read"),
        ({"a.png": picture(), "a.json": b'{"label": Infinity}'}, "a: its class cannot be read"),
        ({"a.png": picture(), "a.cls": b"1", "b.png": picture()}, "1 of 2 images have a class"),
        ({"a.png": picture(), "b.png": picture(6)}, "images differ in size: .*, b 6x6"),
        (
            {"a.png": picture(), "a.json": b'{"label": 0, "class_name": "x"}', "b.png": picture(),
             "b.json": b'{"label": 1, "class_name": "x"}'},
            "contradict each other",
        ),
    ],
)  # fmt: skip
def test_archives_that_cannot_be_used_are_named(tmp_path, members, message):
    with pytest.raises(ValueError, match=message):
        open_source(tar_of(tmp_path / "x.tar", members)).load()


def test_damaged_files_are_named(tmp_path):
    broken = tmp_path / "x.tar"
    broken.write_bytes(tar_of(tmp_path / "y.tar", {"a.png": picture()}).read_bytes()[:700])
    with pytest.raises(ValueError, match=r"x.tar"):
        open_source(broken).load()
    table = pa.table({"image": pa.array([{"bytes": None, "path": "a.png"}], pa.struct(
        [("bytes", pa.binary()), ("path", pa.string())]))})  # fmt: skip
    pq.write_table(table, tmp_path / "z.parquet")
    with pytest.raises(ValueError, match="row 0 holds no image, only a path"):
        open_source(tmp_path / "z.parquet").load()


def test_class_numbers_of_others_are_names_of_their_own(tmp_path):
    members = {f"{i}.{kind}": blob for i in range(3)
               for kind, blob in (("png", picture()), ("cls", str(5 * i).encode()))}  # fmt: skip
    back = open_source(tar_of(tmp_path / "x.tar", members)).load()
    assert back.class_names == ("0", "5", "10")
    assert back.labels.tolist() == [0, 1, 2]


def encoded(mode, size=(4, 4), value=100):
    file = io.BytesIO()
    Image.new(mode, size, value if mode == "L" else (value, 20, 30, 40)[: len(mode)]).save(
        file, "PNG"
    )
    return file.getvalue()


def packed(kind, path, blobs):
    """One file of either kind that holds these pictures, without classes."""
    if kind == "tar":
        return tar_of(path / "x.tar", {f"{i}.png": blob for i, blob in enumerate(blobs)})
    cells = [{"bytes": blob, "path": None} for blob in blobs]
    image = pa.array(cells, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    pq.write_table(pa.table({"image": image}), path / "x.parquet")
    return path / "x.parquet"


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(
    ("modes", "channels"),
    [(("L", "RGB"), 3), (("RGB", "RGBA"), 4), (("L", "LA"), 2), (("LA", "RGB"), 4)],
)
def test_neither_colour_nor_alpha_is_lost_to_the_first_image(
    tmp_path, caplog, kind, modes, channels
):
    file = packed(kind, tmp_path, [encoded(mode) for mode in modes])
    with caplog.at_level("INFO"):
        pixels = open_source(file).load().pixels
    assert pixels.shape == (2, channels, 4, 4)
    with Image.open(io.BytesIO(encoded(modes[1]))) as second:
        wide = second.convert({2: "LA", 3: "RGB", 4: "RGBA"}[channels])
    assert (pixels[1] == np.asarray(wide).transpose(2, 0, 1)).all()
    assert caplog.text.count("modes are mixed") == 1


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("resize", ["fit", "crop", "stretch", "pad"])
def test_unequal_images_are_brought_to_the_size_that_was_asked_for(tmp_path, kind, resize):
    file = packed(kind, tmp_path, [encoded("RGB", (9, 6)), encoded("RGB", (5, 8))])
    pixels = open_source(file, size=[4, 5], resize=resize).load().pixels
    assert pixels.shape == (2, 3, 4, 5)
    assert pixels[:, 0, 2, 2].tolist() == [100, 100]
    with pytest.raises(ValueError, match=r"images differ in size: .* set data.size="):
        open_source(file).load()


def claiming(width, height):
    """A PNG whose header claims a size that its data does not have."""
    blob = bytearray(encoded("RGB"))
    blob[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    blob[29:33] = zlib.crc32(blob[12:29]).to_bytes(4, "big")
    return bytes(blob)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("side", [9_000, 50_000])
def test_a_picture_that_claims_too_many_pixels_is_named(tmp_path, kind, side):
    file = packed(kind, tmp_path, [claiming(side, side), encoded("RGB")])
    with pytest.raises(ValueError, match=r"x\..* 0 cannot be read: .*pixels"):
        open_source(file, size=4).load()


def test_no_room_is_made_for_a_claim_of_the_first_image_alone(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(np, "empty", lambda shape, *rest: made.append(shape))
    file = packed("tar", tmp_path, [claiming(7_000, 7_000), encoded("RGB"), encoded("RGB")])
    with pytest.raises(ValueError, match="0 7000x7000"):
        open_source(file).load()
    assert made == []


def test_members_that_claim_much_of_the_memory_are_refused(tmp_path):
    member = tarfile.TarInfo("a.png")
    member.size = 1 << 40
    (tmp_path / "large.tar").write_bytes(member.tobuf() + encoded("RGB") + bytes(1024))
    with pytest.raises(ValueError, match=r"a.png claims 1,099,511,627,776 bytes, a picture may"):
        open_source(tmp_path / "large.tar").load()
    blob = encoded("RGB")
    hole = {"GNU.sparse.map": f"0,{len(blob)}", "GNU.sparse.size": str(1 << 20)}
    with tarfile.open(tmp_path / "sparse.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a.png")
        member.size, member.pax_headers = len(blob), hole
        archive.addfile(member, io.BytesIO(blob))
    with pytest.raises(ValueError, match=r"sparse.tar, a.png is a sparse file"):
        open_source(tmp_path / "sparse.tar").load()


def test_names_of_classes_nested_without_end_are_no_names(tmp_path):
    file = packed("parquet", tmp_path, [encoded("RGB")])
    table = pq.read_table(file).append_column("label", pa.array([3]))
    pq.write_table(table.replace_schema_metadata({"huggingface": "[" * 200_000}), file)
    assert open_source(file).load().class_names == ("3",)


def parquet_with(tmp_path, columns, features=None):
    """The images of a Parquet file as we write it, with further columns."""
    (file,) = write_whole(parquet_writer(images_per_file=10), iter([images_of(n=4)]), tmp_path)
    table = pq.read_table(file)
    told = json.loads(table.schema.metadata[b"huggingface"])
    told["info"]["features"] |= features or {}
    for name, values in columns.items():
        table = table.append_column(name, values)
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(told)}), file)
    return ImageParquet(path=file, attributes="all")


def test_text_of_pandas_and_polars_is_an_attribute(tmp_path):
    words = ["a", "b", None, "a"]
    columns = {
        "large": pa.array(words, pa.large_string()),
        "coded": pa.array(words).dictionary_encode(),
        "box": pa.array([[1]] * 4),
    }
    found = parquet_with(tmp_path, columns).load().attributes
    assert {name: values.tolist() for name, values in found.items()} == {
        "large": ["a", "b", "", "a"],
        "coded": ["a", "b", "", "a"],
    }


def test_an_attribute_that_is_coded_has_the_names_of_its_levels(tmp_path):
    features = {"hair": {"names": ["red", "blond"], "_type": "ClassLabel"}}
    columns = {"hair": pa.array([1, 0, -1, None])}
    images = parquet_with(tmp_path, columns, features).load()
    assert images.attributes["hair"].tolist() == ["blond", "red", "", ""]
    assert images.labels.tolist() == [0, 1, 0, 1]
    (tmp_path / "wrong").mkdir()
    with pytest.raises(ValueError, match="row 0: 2 is not the number of a class"):
        parquet_with(tmp_path / "wrong", {"hair": pa.array([2, 0, 1, 1])}, features).load()
