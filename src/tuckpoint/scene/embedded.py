"""Textures that lie within the file of a model."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, MissingExtra
from tuckpoint.scene.colour import LINEAR
from tuckpoint.scene.gltf import picture


@dataclass(frozen=True)
class Embedded:
    """Image number `image` of a glTF `file`."""

    name: ClassVar[str] = "embedded"
    file: str = ""
    image: int = 0

    def draw(self) -> NDArray[np.float64]:
        """The picture, in linear light."""
        try:
            from PIL import Image
        except ImportError:
            raise MissingExtra("pillow", extra="scenes") from None
        if not Path(self.file).is_file():
            raise InputError(f"the model {self.file or 'without a path'} of a texture is missing; give its path")
        data = picture(Path(self.file), self.image)
        try:
            with Image.open(io.BytesIO(data)) as image:
                codes: Any = np.asarray(image.convert("RGB"))
        except OSError as error:
            raise InputError(f"image {self.image} of {self.file} is no PNG or JPEG that can be read: {error}") from None
        return np.asarray(LINEAR[codes], float)
