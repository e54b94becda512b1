"""Whether a source still holds bytes that were archived of it: asked once, of one file. Nothing is pulled or noted.

A source may change, forget or fail at any time: that says nothing against what is archived.
"""

from hashlib import sha256

from rustbucket_pipeline.archive.decode import Content, from_offset
from rustbucket_pipeline.archive.sources.base import Source, SourceFile
from rustbucket_pipeline.errors import SourceUnavailable

PACKED = (".gz", ".zst")


def still_holds(source: Source, file: SourceFile, offset: int, length: int, expected_sha256: str) -> str:
    """Empty if the file, as it was listed then, still holds those bytes of the log in it; else what is there now.

    A packed file is unpacked up to them.
    """
    packed = file.key.endswith(PACKED)
    held = bytearray()
    try:
        with source.open(file, 0 if packed else offset) as blocks:
            for block in from_offset(Content(blocks), offset) if packed else blocks:
                held += block[: length - len(held)]
                if len(held) == length:
                    break
    except SourceUnavailable as error:
        return str(error)
    return "" if sha256(held).hexdigest() == expected_sha256 else f"{file.key} holds other bytes there by now"
