"""Masks of pixels, as Label Studio keeps them: a run-length code of bits, or a picture in an address."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.region import Mask

_WORD, _SIZES = 8, (3, 4, 8, 16)
"""Bits of a value, and of a run's length less 1: the code's smallest that holds it is named by its place."""
_CHANNELS: Final = 4
_MOST_PIXELS: Final = 100_000_000
_PNG: Final = "data:image/png;base64,"


def mask_of(value: Mapping[str, Any], width: int, height: int) -> Mask:
    """Return the pixels that a value marks.

    Parameters
    ----------
    value
        With ``rle`` or ``imageDataURL``.
    width, height
        Of the picture, in pixels.

    Raises
    ------
    ValueError
        If it is broken, or of another size.
    """
    if "rle" in value:
        pixels = unpacked(value["rle"]).reshape(-1, _CHANNELS)[:, 3]
    else:
        pixels = _alpha(str(value["imageDataURL"]))
    return Mask.of(pixels.reshape(height, width) > 0)


def rle_of(mask: Mask, like: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mask as the fields of a value, in the form of another one."""
    if "imageDataURL" in like:
        return {"imageDataURL": _address(mask)}
    return {"format": "rle", "rle": packed(np.repeat(mask.to_array().ravel().astype(np.uint8) * 255, _CHANNELS))}


def packed(values: NDArray[np.uint8]) -> list[int]:
    """Return bytes as Label Studio's run-length code (github.com/thi-ng/umbrella, rle-pack).

    Examples
    --------
    >>> values = np.repeat(np.array([0, 255, 7], np.uint8), [70_000, 3, 1])
    >>> np.array_equal(unpacked(packed(values)), values)
    True
    """
    bits = [f"{len(values):032b}{_WORD - 1:05b}", *(f"{size - 1:04b}" for size in _SIZES)]
    starts = np.flatnonzero(np.diff(values, prepend=values[:1] ^ 1)) if len(values) else np.empty(0, np.int64)
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(values)], strict=True):
        left = end - start
        while left:
            length = min(left, 1 << _SIZES[-1])
            place = next(at for at, size in enumerate(_SIZES) if length <= 1 << size)
            bits.append(f"1{place:02b}{length - 1:0{_SIZES[place]}b}{int(values[start]):0{_WORD}b}")
            left -= length
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


def unpacked(code: Any) -> NDArray[np.uint8]:
    """Return the bytes in a run-length code.

    Raises
    ------
    ValueError
        If it ends too early, or has more bytes than any picture.
    """
    bits = np.unpackbits(np.asarray(code, np.uint8))
    text = (bits + 48).tobytes().decode()
    at = 0

    def read(size: int) -> int:
        nonlocal at
        if at + size > len(text):
            raise ValueError("a mask's code ends too early")
        at += size
        return int(text[at - size : at], 2)

    number, word = read(32), read(5) + 1
    sizes = [read(4) + 1 for _ in range(4)]
    if number > _MOST_PIXELS * _CHANNELS:
        raise ValueError("a mask's code has more pixels than any picture")
    found = np.zeros(number, np.uint8)
    done = 0
    while done < number:
        is_run = read(1)
        end = min(done + 1 + read(sizes[read(2)]), number)
        if is_run:
            found[done:end] = read(word) & 255
        else:
            for place in range(done, end):
                found[place] = read(word) & 255
        done = end
    return found


def _alpha(address: str) -> NDArray[np.uint8]:
    """Return where a picture in an address is drawn: its alpha channel, or its brightness where it has none."""
    from PIL import Image

    try:
        picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
        shown = picture.convert("RGBA")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # what a broken picture makes Pillow raise
        raise ValueError(f"a mask's picture cannot be read: {error}") from None
    channel = (
        shown.getchannel("A") if "A" in picture.getbands() or "transparency" in picture.info else shown.convert("L")
    )
    return np.asarray(channel).ravel()


def _address(mask: Mask) -> str:
    from PIL import Image

    alpha = mask.to_array().astype(np.uint8) * 255
    out = io.BytesIO()
    Image.fromarray(np.stack([np.zeros_like(alpha)] * 3 + [alpha], axis=-1), "RGBA").save(out, "PNG")
    return _PNG + base64.b64encode(out.getvalue()).decode()
