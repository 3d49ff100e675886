"""The pictures of a report: points and boxes over photos, errors as colours on a scan."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from headform.measure.closest import MeshTree
from headform.measure.geometry import MM, Doubles, Placing, Scan, distances, face_sphere, head_frame
from headform.measure.scanfile import Bytes, ScanMesh
from headform.render import Camera, Lamp, Light, Material, Scene, Surface, render

WORST = 3.0  # mm: the end of the scale of colours
# sRGB from no error to WORST: blue, green, yellow, red, each lighter than the last but the end, so that they print
COLOURS = (
    np.array([[49, 54, 149], [69, 150, 180], [150, 205, 120], [254, 224, 110], [244, 109, 67], [165, 0, 38]]) / 255
)
ASIDE = (0.80, 0.80, 0.80)  # what is not measured
PAPER = (1.0, 1.0, 1.0)
SOFT = Light.of((Lamp(np.array([0.3, 0.5, 1.0]), np.full(3, 0.45)),), np.full(3, 0.55))
SIZE = 360  # pixels of a picture in a report
FOUND, TRUE = (255, 60, 60), (60, 230, 90)


def error_colours(errors: ArrayLike, worst: float = WORST) -> NDArray[np.float32]:
    """(..., 3) sRGB 0–1 for errors in mm, the last colour from `worst` on."""
    place = np.clip(np.asarray(errors, np.float64) / worst, 0, 1) * (len(COLOURS) - 1)
    mixed = [np.interp(place, np.arange(len(COLOURS)), COLOURS[:, channel]) for channel in range(3)]
    return np.stack(mixed, -1).astype(np.float32)


def error_picture(mesh: ScanMesh, scan: Scan, tree: MeshTree, placing: Placing, size: int = SIZE) -> Bytes | None:
    """(size, size, 3) the scan from in front, each point of its face in the colour of its distance to the head.

    `tree` holds the head's mesh in mm and `placing` takes it to the scan. None for a cloud of points.
    """
    if not len(mesh.triangles):
        return None
    centre, radius = face_sphere(scan.seven)
    face = np.linalg.norm(mesh.vertices - centre, axis=1) <= radius
    colours = np.tile(np.array(ASIDE, np.float32), (len(mesh.vertices), 1))
    colours[face] = error_colours(distances(tree, mesh.vertices[face], placing))
    straight = Placing(1.0, head_frame(scan.seven).rotation, np.zeros(3))
    placed = (straight.apply(mesh.vertices) / MM).astype(np.float32)
    target = straight.apply(centre) / MM
    camera = Camera.parallel(0.0, 0.0, size, extent=2.3 * radius / MM, target=target, distance=1.0)
    clay = Material((1.0, 1.0, 1.0), roughness=1.0, specular=0.0)
    surface = Surface(placed, mesh.triangles, clay, colours=colours)
    return np.ascontiguousarray(render(Scene((surface,), light=SOFT, background=PAPER), camera).rgb)


def scale_bar(wide: int = SIZE, high: int = 34, worst: float = WORST) -> Bytes:
    """(high, wide, 3) the colours from 0 to `worst` mm."""
    image = Image.new("RGB", (wide, high), (255, 255, 255))
    ramp = (error_colours(np.linspace(0, worst, wide - 20), worst) * 255).round().astype(np.uint8)
    image.paste(Image.fromarray(np.tile(ramp, (high - 18, 1, 1))), (10, 0))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default()
    for step in range(int(worst) + 1):
        text = f"{step} mm" if step < worst else f"≥ {step} mm".replace("≥", ">")
        width = draw.textlength(text, font=font)
        middle = 10 + (wide - 20) * step / worst
        draw.text((float(np.clip(middle - width / 2, 0, wide - width)), high - 15), text, fill=(0, 0, 0), font=font)
    return np.asarray(image)


def points_over(pixels: Bytes, found: ArrayLike, true: ArrayLike | None = None, size: int = SIZE) -> Bytes:
    """(h, w, 3) the face's part of a photo with found points (n, 2) in red and true ones in green under them."""
    marks = np.asarray(found, np.float64)
    drawn = np.zeros((0, 2)) if true is None else np.asarray(true, np.float64)
    image, scale, corner = _window(pixels, np.concatenate([marks, drawn]), size)
    draw = ImageDraw.Draw(image)
    for points, colour, reach in ((drawn, TRUE, 2.2), (marks, FOUND, 1.4)):
        for x, y in (points - corner + 0.5) * scale:
            draw.ellipse([x - reach, y - reach, x + reach, y + reach], fill=colour)
    return np.asarray(image)


def boxes_over(pixels: Bytes, found: ArrayLike, match: ArrayLike, drawn: ArrayLike, size: int = 2 * SIZE) -> Bytes:
    """(h, w, 3) a photo with the drawn boxes in green, the found ones in blue, and those that are no face in red."""
    image = Image.fromarray(pixels)
    scale = min(1.0, size / max(image.size))
    image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    draw = ImageDraw.Draw(image)
    for box in np.asarray(drawn).reshape(-1, 4):
        _frame(draw, box * scale, TRUE, 4)
    for box, row in zip(np.asarray(found).reshape(-1, 4), np.asarray(match), strict=True):
        _frame(draw, box * scale, (70, 130, 255) if row >= 0 else FOUND, 2)
    return np.asarray(image)


def encoded(pixels: Bytes, kind: str = "JPEG") -> bytes:
    """The bytes of an image file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **({"quality": 88} if kind == "JPEG" else {}))
    return stream.getvalue()


def _frame(draw: ImageDraw.ImageDraw, box: NDArray[np.float64], colour: tuple[int, int, int], width: int) -> None:
    left, top, right, bottom = (float(x) for x in box)
    draw.rectangle(
        [min(left, right), min(top, bottom), max(left, right), max(top, bottom)], outline=colour, width=width
    )


def _window(pixels: Bytes, points: Doubles, size: int) -> tuple[Image.Image, float, Doubles]:
    """The part of a photo around points, `size` pixels along its longer side; its scale and its corner."""
    high, wide = pixels.shape[:2]
    low, past = points.min(0), points.max(0)
    room = 0.3 * float((past - low).max()) + 4
    left, top = np.clip(np.floor(low - room), 0, (wide - 2, high - 2)).astype(int)
    right, bottom = np.clip(np.ceil(past + room), (left + 2, top + 2), (wide, high)).astype(int)
    cut = Image.fromarray(pixels[top:bottom, left:right])
    scale = size / max(cut.size)
    shown = cut.resize((max(1, round(cut.width * scale)), max(1, round(cut.height * scale))), Image.Resampling.BICUBIC)
    return shown, scale, np.array([left, top], np.float64)
