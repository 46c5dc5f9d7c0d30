"""Images with boxes and masks in COCO's form, of `images/` and `annotations/instances.json`.

Pixels of a file of `masks/instance/` are 0, or an object's place in the list of its image, from 1.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from genmodels.files import write_json
from genmodels.masks import each_mask
from genmodels.types import Raw
from genmodels.writers.base import Shard, positive, sync_file, tables

__all__ = ["COCOWriter"]


class COCOWriter:
    """Writes rows of `blob`, `file_name`, `objects`, `height`, `width`, `known` and provenance.

    Args:
        categories: what objects can be.
        provenance: the name of what tells where images come from; None: nothing does.
        images_per_shard: images that are made sure of at a time.
    """

    def __init__(
        self,
        *,
        categories: Sequence[Mapping[str, Any]],
        provenance: str | None,
        images_per_shard: int,
    ) -> None:
        self.categories, self.provenance = list(categories), provenance
        self.facts: dict[str, Any] = {}
        self.rows_per_shard = positive("images_per_shard", images_per_shard)

    def write(self, pieces: Iterator[Raw], folder: Path, shard: Shard) -> list[Path]:
        for name in ("images", "masks/instance"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        files, number, listed = list[Path](), shard.start, _listed(folder, shard.number)
        with listed.open("w", encoding="utf-8") as lines:
            for piece in tables(pieces):
                for row in piece.to_pylist():
                    files += self._image(row, number, folder)
                    lines.write(json.dumps(self._told(row, number)) + "\n")
                    number += 1
        for file in (*files, listed):
            sync_file(file)
        return files

    def finish(self, folder: Path, shards: int) -> list[Path]:
        place = folder / "annotations" / "instances.json"
        place.parent.mkdir(exist_ok=True)
        parts = [_listed(folder, k) for k in range(shards)]
        if not place.exists():  # or else an interrupted process came so far
            images, objects = [], list[dict[str, Any]]()
            for part in parts:
                for line in part.read_text(encoding="utf-8").splitlines():
                    told = json.loads(line)
                    images.append(told["image"])
                    for one in told["objects"]:
                        objects.append({**one, "id": len(objects) + 1})
            whole = {"images": images, "annotations": objects, "categories": self.categories}
            write_json(place, whole)
        for part in parts:
            part.unlink(missing_ok=True)
        return [place]

    def _image(self, row: Mapping[str, Any], number: int, folder: Path) -> list[Path]:
        file = folder / "images" / _name(row, number)
        file.write_bytes(row["blob"])
        height, width = row["height"], row["width"]
        places = np.zeros((height, width), np.uint16)
        objects = json.loads(row["objects"])
        for k, one in enumerate(each_mask(objects, height, width, of=row["file_name"]), 1):
            places[one > 0] = k
        mask, packed = folder / "masks" / "instance" / f"{number:06d}.png", io.BytesIO()
        Image.fromarray(places).save(packed, "PNG", compress_level=1)
        mask.write_bytes(packed.getvalue())
        return [file, mask]

    def _told(self, row: Mapping[str, Any], number: int) -> dict[str, Any]:
        image = {**json.loads(row["known"]), "id": number, "file_name": _name(row, number)}
        image |= {"height": row["height"], "width": row["width"]}
        if self.provenance is not None:
            image[self.provenance] = row[self.provenance]
        objects = [{**one, "image_id": number} for one in json.loads(row["objects"])]
        return {"image": image, "objects": objects}


def _name(row: Mapping[str, Any], number: int) -> str:
    return f"{number:06d}{Path(row['file_name']).suffix.lower()}"


def _listed(folder: Path, shard: int) -> Path:
    """The lines of one shard, until all are joined."""
    return folder / f".annotations-{shard:05d}.jsonl"
