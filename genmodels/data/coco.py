"""Images with boxes and masks in COCO's form: one list of annotations beside a folder of images.

Each image is a row: its file as it lies there, and its objects as JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from genmodels.files import read_json, sha256

__all__ = ["COCO", "holds_coco"]

PLACES = ("annotations/instances.json", "annotations.json")
"""Where the list of annotations may be in a folder."""
MOST_PIXELS = 65_535
"""Of a side of a picture."""


def holds_coco(path: str | Path | None) -> bool:
    """Whether a folder holds images in COCO's form."""
    return path is not None and _list_of(Path(path).expanduser()) is not None


def _list_of(folder: Path) -> Path | None:
    return next((folder / name for name in PLACES if (folder / name).is_file()), None)


def _is_side(value: Any) -> bool:
    return type(value) is int and 0 < value <= MOST_PIXELS


def _is_key(value: Any) -> bool:
    return type(value) in (int, str)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


NEEDED: dict[str, dict[str, Callable[[Any], bool]]] = {
    "images": {"id": _is_key, "file_name": _is_name, "height": _is_side, "width": _is_side},
    "annotations": {
        "image_id": _is_key,
        "category_id": _is_key,
        "bbox": lambda value: isinstance(value, list),
    },
    "categories": {},
}
"""What entries must have, and what it may be."""
BASIC = tuple(NEEDED["images"])


class COCO:
    """Images of a folder with a list of annotations; files lie in `images/` or beside it.

    Args:
        path: the folder.
    """

    def __init__(self, *, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self.list = _list_of(self.path) or self.path / PLACES[0]

    def load(self) -> pa.Table:
        """Columns `file_name`, `blob` (the file), `objects`, `height`, `width` and `known`.

        Objects, and what else the list knows of an image, are JSON.

        Raises:
            ValueError: when the list is not in COCO's form, or a file of it is not there.
        """
        told = self._told()
        objects = defaultdict(list)
        for annotation in told["annotations"]:
            objects[annotation["image_id"]].append(annotation)
        rows = []
        for entry in told["images"]:
            file = self._file(entry["file_name"])
            rows.append(
                {
                    "file_name": file.name,
                    "blob": file.read_bytes(),
                    "objects": json.dumps(objects[entry["id"]]),
                    "height": entry["height"],
                    "width": entry["width"],
                    "known": json.dumps({k: v for k, v in entry.items() if k not in BASIC}),
                }
            )
        if not rows:
            raise ValueError(f"{self.list} lists no images")
        return pa.Table.from_pylist(rows)

    def categories(self) -> list[dict[str, Any]]:
        """What objects can be."""
        return list(self._told()["categories"])

    def fingerprint(self) -> str:
        """SHA-256 over the list and all files."""
        digest = hashlib.sha256(sha256(self.list).encode())
        for entry in self._told()["images"]:
            digest.update(sha256(self._file(entry["file_name"])).encode())
        return digest.hexdigest()

    def _told(self) -> dict[str, Any]:
        place = self.list
        told = read_json(place)
        lists = ("images", "annotations", "categories")
        whole = isinstance(told, dict) and all(isinstance(told.get(k), list) for k in lists)
        if not whole:
            raise ValueError(f"{place} is not in COCO's form: needs the lists {', '.join(lists)}")
        for key, needed in NEEDED.items():
            if not all(isinstance(entry, dict) for entry in told[key]):
                raise ValueError(f"{place}: its {key} must be objects of JSON")
            for name, fits in needed.items():
                if any(name not in entry for entry in told[key]):
                    raise ValueError(f"{place}: some of its {key} lack {name}")
                wrong = [entry[name] for entry in told[key] if not fits(entry[name])]
                if wrong:
                    raise ValueError(f"{place}: some of its {key} have {name}={wrong[0]!r:.60}")
        return dict(told)

    def _file(self, name: str) -> Path:
        folder = self.path.resolve()
        for file in ((self.path / "images" / name).resolve(), (self.path / name).resolve()):
            if folder in file.parents and file.is_file():
                return file
        raise ValueError(f"{self.list} lists {name!r}, which is not in the folder")
