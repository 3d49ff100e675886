"""Contact sheets: several pictures on one page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from headform.errors import BadInput
from headform.render.picture import Picture

LINE = 16  # pixels of a caption
PAPER = (245, 245, 245)


def contact_sheet(
    pictures: Sequence[Picture | NDArray[np.uint8]],
    *,
    columns: int | None = None,
    captions: Sequence[str] = (),
    margin: int = 8,
    paper: tuple[int, int, int] = PAPER,
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: pictures, or images (h, w, 3 or 4) uint8, in rows of `columns` (a square if left out).

    Cells are as large as the largest picture; captions stand beneath, in order. Transparent parts show the
    paper.
    """
    images = [_over_paper(p.rgba if isinstance(p, Picture) else p, paper) for p in pictures]
    if not images:
        raise BadInput("a contact sheet needs at least one picture")
    if (columns is not None and columns < 1) or margin < 0:
        raise BadInput("a contact sheet needs at least one column and a margin that is not negative")
    across = min(columns or int(np.ceil(np.sqrt(len(images)))), len(images))
    width = max(image.width for image in images) + margin
    height = max(image.height for image in images) + margin + (LINE if captions else 0)
    down = -(-len(images) // across)
    sheet = Image.new("RGB", (across * width + margin, down * height + margin), paper)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default()
    ink = (0, 0, 0) if sum(paper) > 3 * 127 else (255, 255, 255)
    for n, image in enumerate(images):
        left, top = margin + n % across * width, margin + n // across * height
        sheet.paste(image, (left, top))
        if n < len(captions):
            draw.text((left, top + image.height + 2), captions[n], fill=ink, font=font)
    return np.asarray(sheet)


def _over_paper(image: NDArray[np.uint8], paper: tuple[int, int, int]) -> Image.Image:
    if image.ndim != 3 or image.shape[2] not in (3, 4) or image.dtype != np.uint8:
        raise BadInput(f"a sheet takes uint8 images (h, w, 3) or (h, w, 4), not {image.dtype} {image.shape}")
    picture = Image.fromarray(image)
    if picture.mode == "RGB":
        return picture
    page = Image.new("RGBA", picture.size, (*paper, 255))
    return Image.alpha_composite(page, picture).convert("RGB")
