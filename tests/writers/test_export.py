import json
import multiprocessing
import os
import signal
import time

import numpy as np
import pytest

from genmodels.types import Images
from genmodels.writers import claim
from genmodels.writers.base import MANIFEST, tables
from genmodels.writers.export import Export, refuse_existing, request_key


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def begun(out, shards=2, **options):
    export = Export(out=out, key="abc", shards=shards, **options)
    export.open()
    return export


def shard(export, number, text="rows"):
    file = export.folder / f"{number}.txt"
    file.write_text(text)
    export.note(number, [file], rows=len(text), counts={"kept": number})


def test_a_dataset_appears_whole_under_its_name(tmp_path):
    out = tmp_path / "new" / "synthetic"
    export = begun(out)
    for number in (1, 0):
        shard(export, number)
        assert not out.exists()
        assert all(name.startswith(".") for name in names(out.parent))
    written = export.wait()
    assert [written[k].counts for k in (0, 1)] == [{"kept": 0}, {"kept": 1}]
    assert written[0].files[0]["path"] == "0.txt"
    export.publish(overwrite=False)
    assert export.close(keep=True) == 0
    assert names(out) == ["0.txt", "1.txt"]
    assert names(out.parent) == ["synthetic"]


def test_what_is_whole_stays_for_the_same_request_and_no_other(tmp_path):
    export = begun(tmp_path / "out")
    shard(export, 1)
    (export.folder / "0.txt").write_text("half")
    assert export.close(keep=True) == 1
    again = begun(tmp_path / "out")
    assert list(again.written()) == [1]
    assert again.close(keep=True) == 1
    other = Export(out=tmp_path / "out", key="abd", shards=2)
    other.open()
    assert not other.written()
    assert other.close(keep=True) == 0
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize("harm", ["gone", "shorter", "note", "list"])
def test_a_shard_that_is_not_as_it_was_noted_is_written_again(tmp_path, harm):
    export = begun(tmp_path / "out")
    shard(export, 0)
    shard(export, 1)
    match harm:
        case "gone":
            (export.folder / "0.txt").unlink()
        case "shorter":
            (export.folder / "0.txt").write_text("row")
        case "note":
            (export.notes / "00000.json").write_text('{"rows": 4, "cou')
        case "list":
            (export.notes / "00000.json").write_text("[1]")
    assert list(export.written()) == [1]


def test_nothing_stays_where_nothing_is_whole_or_wanted(tmp_path):
    for whole in (False, True):
        export = begun(tmp_path / "out")
        if whole:
            shard(export, 0)
        assert export.close(keep=not whole) == 0
        assert names(tmp_path) == []


def test_of_several_processes_none_removes_what_others_write(tmp_path):
    first, second = (begun(tmp_path / "out", rank=k, of=2) for k in (0, 1))
    shard(second, 1)
    assert first.close(keep=False) == 1
    assert list(second.written()) == [1]


def test_the_first_process_does_not_wait_for_one_that_gave_up(tmp_path):
    first, second = (begun(tmp_path / "out", rank=k, of=2) for k in (0, 1))
    shard(first, 0)
    second.claim.fail()
    with pytest.raises(ValueError, match=r"gave up or was killed \(rank 1\)"):
        first.wait()
    second.close(keep=True)
    again = begun(tmp_path / "out", rank=1, of=2)
    shard(again, 1)
    assert sorted(first.wait()) == [0, 1]


def test_temporary_files_of_a_killed_process_are_swept(tmp_path):
    export = begun(tmp_path / "out", shards=1)
    shard(export, 0)
    (export.folder / ".README.md.1234.part").write_text("half")
    export.sweep()
    assert names(export.folder) == ["0.txt"]


def test_work_for_another_folder_of_a_longer_name_is_none_of_ours(tmp_path):
    other = Export(out=tmp_path / "out.x", key="abc", shards=1)
    other.open()
    export = begun(tmp_path / "out")
    assert export.others() == []
    third = Export(out=tmp_path / "out", key="abd", shards=1)
    third.open()
    assert export.others() == [third.hidden]


def test_one_request_is_written_by_one_process_at_a_time(tmp_path):
    export = begun(tmp_path / "out")
    with pytest.raises(ValueError, match="another process is writing"):
        begun(tmp_path / "out")
    export.close(keep=False)
    begun(tmp_path / "out").close(keep=False)
    assert names(tmp_path) == []


def test_who_gave_up_before_the_first_process_began_is_known(tmp_path):
    second = begun(tmp_path / "out", rank=1, of=2)
    second.claim.fail()
    second.close(keep=True)
    with pytest.raises(ValueError, match="gave up"):
        begun(tmp_path / "out", rank=0, of=2).wait()


def test_another_number_of_processes_does_not_write_the_same_shards(tmp_path):
    left_over = begun(tmp_path / "out", rank=2, of=3)
    for rank, of in ((0, 1), (1, 2)):
        with pytest.raises(ValueError, match="another process is writing"):
            begun(tmp_path / "out", rank=rank, of=of)
    begun(tmp_path / "out", rank=0, of=3).close(keep=True)
    left_over.close(keep=True)
    alone = begun(tmp_path / "out")
    with pytest.raises(ValueError, match="another process is writing"):
        begun(tmp_path / "out", rank=1, of=2)
    alone.close(keep=False)


def hold_and_die(out):
    export = begun(out, rank=1, of=2)
    shard(export, 1)
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_first_process_does_not_wait_for_one_that_was_killed(tmp_path, monkeypatch):
    first = begun(tmp_path / "out", shards=3, rank=0, of=2)
    shard(first, 0)
    done = begun(tmp_path / "out", shards=3, rank=1, of=2)
    done.close(keep=True)
    assert first.claim.lost() == []  # it left in good order
    process = multiprocessing.get_context("spawn").Process(
        target=hold_and_die, args=(tmp_path / "out",)
    )
    process.start()
    process.join()
    with pytest.raises(ValueError, match=r"was killed \(rank 1\)"):
        first.wait()
    first.close(keep=True)
    monkeypatch.setattr(claim, "_STARTED", time.time() + 1)
    again = begun(tmp_path / "out", shards=3, rank=0, of=2)
    assert again.claim.lost() == []  # what it left is of an earlier attempt
    assert sorted(again.written()) == [0, 1]


def test_a_process_on_another_machine_is_waited_for(tmp_path, monkeypatch):
    first = begun(tmp_path / "out", rank=0, of=2)
    with monkeypatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: "elsewhere")
        second = begun(tmp_path / "out", rank=1, of=2)
    second.claim._lock.release()  # as a lock that is not seen across a network
    assert first.claim.lost() == []
    second.claim.fail()
    assert first.claim.lost() == [1]


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "disk" / "place").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "place")
    export = begun(tmp_path / "out", shards=1)
    shard(export, 0)
    export.publish(overwrite=False)
    assert (tmp_path / "out").is_symlink()
    assert names(tmp_path / "disk" / "place") == ["0.txt"]
    assert names(tmp_path / "disk") == ["place"]


def test_where_a_disk_is_mounted_no_folder_can_be_put(tmp_path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.is_mount", lambda _: True)
    with pytest.raises(FileExistsError, match=r"mounted.*out=.*synthetic"):
        refuse_existing(tmp_path, overwrite=True)


def test_a_dataset_by_the_same_request_is_known(tmp_path):
    export = Export(out=tmp_path / "out", key="abc", shards=1, rank=1, of=2)
    assert not export.published()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MANIFEST).write_text(json.dumps({"request": "abd"}))
    assert not export.published()
    (tmp_path / "out" / MANIFEST).write_text(json.dumps({"request": "abc"}))
    assert export.published()


def test_the_key_is_of_what_is_asked_in_any_order():
    assert request_key({"n": 1, "seed": 2}) == request_key({"seed": 2, "n": 1})
    assert request_key({"n": 1, "seed": 2}) != request_key({"n": 2, "seed": 1})


def test_an_empty_folder_is_taken_and_a_full_one_refused(tmp_path):
    out = tmp_path / "synthetic"
    out.mkdir()
    export = begun(out, shards=1)
    shard(export, 0)
    export.publish(overwrite=False)
    assert names(out) == ["0.txt"]
    with pytest.raises(FileExistsError, match="overwrite=true"):
        refuse_existing(out, overwrite=False)


def test_overwrite_replaces_a_dataset_but_nothing_else(tmp_path):
    out = tmp_path / "home"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="not a dataset"):
        refuse_existing(out, overwrite=True)
    (out / MANIFEST).write_text('{"finished": true}')  # of a run
    with pytest.raises(FileExistsError, match="not a dataset"):
        refuse_existing(out, overwrite=True)
    (out / MANIFEST).write_text('{"synthetic": true}')
    export = begun(out, shards=1)
    shard(export, 0)
    assert names(out) == [MANIFEST, "thesis.txt"]
    with pytest.raises(FileExistsError, match="overwrite=true"):
        export.publish(overwrite=False)
    export.publish(overwrite=True)
    assert names(out) == ["0.txt"]
    assert names(tmp_path) == ["home"]


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(FileExistsError, match="not a folder"):
        refuse_existing(tmp_path / "out", overwrite=True)
    assert (tmp_path / "out").read_text() == "mine"


def test_images_are_not_rows_of_a_table():
    images = Images(np.zeros((1, 1, 2, 2), np.uint8))
    with pytest.raises(ValueError, match="format=imagefolder"):
        list(tables(iter([images])))
