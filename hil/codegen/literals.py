"""Numbers as C text, fast: a model has hundreds of thousands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PER_LINE = {np.dtype(np.int8): 24, np.dtype(np.int32): 8}
_CTYPE = {np.dtype(np.int8): "int8_t", np.dtype(np.int32): "int32_t"}
_INT8_TEXT = [str(value) for value in range(-128, 128)]


def array_definition(name: str, data: NDArray[np.int8] | NDArray[np.int32]) -> str:
    """`static const HIL_FLASH int8_t name[3] HIL_WEIGHTS = {...};` in lines of bounded length."""
    flat = data.reshape(-1)
    if flat.dtype == np.int8:
        texts = [_INT8_TEXT[index] for index in (flat.astype(np.int16) + 128).tolist()]
    else:
        texts = [str(value) for value in flat.tolist()]
    width = _PER_LINE[flat.dtype]
    lines = [", ".join(texts[start : start + width]) for start in range(0, len(texts), width)]
    body = ",\n    ".join(lines)
    kind = f"static const HIL_FLASH {_CTYPE[flat.dtype]}"
    return f"{kind} {name}[{flat.size}] HIL_WEIGHTS = {{\n    {body}}};\n"
