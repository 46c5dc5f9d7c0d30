"""Tar archives and pictures for tests of who reads them."""

import io
import tarfile

import numpy as np
from PIL import Image


def tar_of(path, members, kinds=None):
    """An archive of blobs by name; `kinds` are of those that are no plain files."""
    with tarfile.open(path, "w") as archive:
        for name, blob in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.type = len(blob), (kinds or {}).get(name, tarfile.REGTYPE)
            if member.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                member.linkname = "/etc/passwd"
            archive.addfile(member, io.BytesIO(blob))
    return path


def picture(side=4):
    """A black PNG file."""
    file = io.BytesIO()
    Image.fromarray(np.zeros((side, side), np.uint8)).save(file, "PNG")
    return file.getvalue()
