"""`croissant.json`: a dataset described for machines, in JSON-LD.

References:
    MLCommons, "Croissant Format Specification", version 1.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genmodels.files import write_json
from genmodels.writers.base import STATEMENT
from genmodels.writers.combined import combined

__all__ = ["NAME", "write_croissant"]

NAME = "croissant.json"
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_FORMATS = {
    "parquet": "application/x-parquet",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.file",
    "npz": "application/zip",
    "webdataset": "application/x-tar",
}
_TYPES = {
    "continuous": "sc:Float",
    "integer": "sc:Integer",
    "boolean": "sc:Boolean",
    "datetime": "sc:DateTime",
}
_READABLE = ("parquet", "csv")
"""Formats of tables whose columns a reader of Croissant finds by name."""


def write_croissant(folder: Path, manifest: Mapping[str, Any]) -> Path:
    """Write `croissant.json` into a dataset folder, as its manifest says what is in it."""
    version, simulator = manifest["versions"].get("genmodels", "?"), manifest.get("simulator")
    several = combined(manifest)
    told = "Drawn from a trained generative model; no record was observed."
    if several is not None:
        name, told = several.name, several.collection
    else:
        name = f"synthetic-{(manifest['run'] if simulator is None else simulator)['name']}"
    if simulator is not None:
        told = f"Simulated by the model {simulator['name']}; no record was observed."
    found = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": name,
        "description": f"{manifest.get('statement', STATEMENT)} Made by genmodels {version}.",
        "datePublished": manifest["created"],
        "version": "1.0.0",
        "rai:dataCollection": told,
        "rai:dataCollectionType": ["Software Collection"],
        "rai:annotationsPerItem": "none",
        **_content(manifest),
    }
    path = folder / NAME
    write_json(path, found)
    return path


def _content(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Files and, where a reader can follow, the columns in them."""
    if manifest["format"] == "coco":
        listed = (f for f in manifest["files"] if f["path"] == "annotations/instances.json")
        pictures = {
            "@type": "cr:FileSet",
            "@id": "pictures",
            "name": "pictures",
            "encodingFormat": "image/png",
            "includes": "images/*",
        }
        return {"distribution": [pictures, *(_file(f, "application/json") for f in listed)]}
    if manifest["format"] == "imagefolder":
        return _of_pictures(manifest)
    if manifest["format"] == "scenes":
        return _of_scenes(manifest)
    files = [_file(entry, _FORMATS[manifest["format"]]) for entry in manifest["files"]]
    columns = manifest.get("schema", {}).get("columns")
    if columns is None or manifest["format"] not in _READABLE:
        return {"distribution": files}
    suffix = "".join(Path(manifest["files"][0]["path"]).suffixes)
    parts = {
        "@type": "cr:FileSet",
        "@id": "data",
        "name": "data",
        "encodingFormat": _FORMATS[manifest["format"]],
        "includes": f"data/*{suffix}",
    }
    fields = [_field(column["name"], _TYPES.get(column["kind"], "sc:Text")) for column in columns]
    return {"distribution": [parts], "recordSet": [_records(fields)]}


def _of_pictures(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """An image folder: pictures by name, and the list of what is known of each."""
    listed = next(f for f in manifest["files"] if f["path"].endswith(".jsonl"))
    pictures = {
        "@type": "cr:FileSet",
        "@id": "pictures",
        "name": "pictures",
        "encodingFormat": "image/png",
        "includes": "train/**/*.png",
    }
    metadata = {**_file(listed, "application/jsonlines"), "@id": "data", "name": "data"}
    schema = manifest.get("schema", {})
    names = [("file_name", "sc:Text"), ("index", "sc:Integer")]
    if schema.get("class_names"):
        names += [("label", "sc:Integer"), ("class_name", "sc:Text")]
    fields = [_field(name, kind, of="fileObject") for name, kind in names]
    return {"distribution": [pictures, metadata], "recordSet": [_records(fields)]}


def _of_scenes(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Scenes: sets of files by folder, their lists, and what is known of each picture."""
    kinds = (("images", "png"), ("labels", "txt"), ("masks", "png"), ("depth", "png"))
    sets = [
        {
            "@type": "cr:FileSet",
            "@id": name,
            "name": name,
            "encodingFormat": "image/png" if ending == "png" else "text/plain",
            "includes": f"{name}/**/*.{ending}",
        }
        for name, ending in kinds
    ]
    listed = {Path(entry["path"]).name: entry for entry in manifest["files"][-5:]}
    metadata = _file(listed["metadata.jsonl"], "application/jsonlines")
    coco = _file(listed["instances.json"], "application/json")
    names = [("file_name", "sc:Text"), ("index", "sc:Integer"), ("label", "sc:Integer")]
    names += [("class_name", "sc:Text"), ("weather", "sc:Text"), ("time", "sc:Text")]
    fields = [_field(name, kind, of="fileObject") for name, kind in names]
    lists = [{**metadata, "@id": "data", "name": "data"}, coco]
    return {"distribution": [*sets, *lists], "recordSet": [_records(fields)]}


def _file(entry: Mapping[str, Any], encoding: str) -> dict[str, Any]:
    path = entry["path"]
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "contentSize": f"{entry['bytes']} B",
        "encodingFormat": encoding,
        "sha256": entry["sha256"],
    }


def _records(fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"@type": "cr:RecordSet", "@id": "records", "name": "records", "field": fields}


def _field(name: str, kind: str, *, of: str = "fileSet") -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"records/{name}",
        "name": name,
        "dataType": kind,
        "source": {of: {"@id": "data"}, "extract": {"column": name}},
    }
