"""What the software renderer costs: `python bench/bench_render.py`. One thread; medians of CPU time."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from headform.errors import HeadformError
from headform.render import (
    Camera,
    Drawn,
    Material,
    Picture,
    Scene,
    Strands,
    Surface,
    Texture,
    rasterise,
    render,
)

STRANDS, POINTS = 15_000, 80
CARDS, CARD_ROWS = 1_500, 12


def main() -> None:
    head, kind = head_surface()
    front = Camera.portrait(0.3, 0.1, 512, distance=0.85)
    wide = Camera.portrait(0.3, 0.1, 512)
    bare, hair = Scene((head,), background=(0.5, 0.5, 0.5)), strands(STRANDS, POINTS)
    wearing = replace(bare, strands=(Strands(hair, (0.3, 0.2, 0.12)),))
    carded = replace(bare, surfaces=(head, cards(strands(CARDS, CARD_ROWS + 1))))
    covered = (render(bare, front, 1).surface >= 0).mean()
    print(f"{kind}, {len(head.triangles)} triangles; covers {covered:.0%} of the picture; one thread")
    print(f"{'what':58}{'ms':>9}")
    report("rasterise 512²", lambda: rasterise(head.vertices, head.triangles, front))
    for size, factor in ((256, 1), (512, 1), (512, 2), (1024, 1)):
        camera = Camera.portrait(0.3, 0.1, size, distance=0.85)
        report(
            f"render {size}², supersample {factor}: texture, soft light, highlights",
            draw(bare, camera, factor),
        )
    relieved = replace(head, material=replace(head.material, relief=bumps()))
    report("the same 512², supersample 1, with relief", draw(Scene((relieved,)), front, 1))
    for factor in (1, 2):
        what = f"{STRANDS // 1000}k strands × {POINTS}, 512², supersample {factor}"
        report(f"{what}, with shadow", draw(wearing, wide, factor), 5)
    report("without shadow", draw(replace(wearing, shadows=False), wide, 2), 5)
    report(f"{2 * CARDS * CARD_ROWS // 1000}k card triangles, 512², supersample 2", draw(carded, wide, 2), 5)
    image = np.random.default_rng(0).integers(0, 256, (2048, 2048, 3), dtype=np.uint8)
    report("make a 2048² texture ready", lambda: Texture.colour(image), 5)
    fresh_process()


def report(what: str, call: Callable[[], object], repeats: int = 15) -> None:
    """Print the median CPU time of a call, after one to warm up."""
    call()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    print(f"{what:58}{1e3 * float(np.median(times)):9.1f}")


def draw(scene: Scene, camera: Camera, supersample: int) -> Callable[[], Picture]:
    return lambda: render(scene, camera, supersample)


def fresh_process() -> None:
    """Import and first picture in a new process: compiled code must come from the cache."""
    program = (
        "import time; t = time.perf_counter()\n"
        "import numpy as np\n"
        "from headform.render import *\n"
        "r = time.perf_counter()\n"
        "s = Surface(np.eye(3) * .1, np.array([(0, 1, 2)]))\n"
        "render(Scene((s,)), Camera.portrait(size=64))\n"
        "print(f'{1e3 * (r - t):.0f} {1e3 * (time.perf_counter() - r):.0f}')"
    )
    for attempt in ("first", "second"):
        out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        imported, drawn = out.split()
        print(f"{attempt + ' new process: import, then first picture (wall)':58}{imported:>9}{drawn:>9}")


def head_surface() -> tuple[Surface, str]:
    """The default head where its data is there, else an egg with as many triangles; with a 2K texture."""
    noise = np.random.default_rng(0).integers(150, 230, (2048, 2048, 3), dtype=np.uint8)
    material = Material((1, 1, 1), Texture.colour(noise), roughness=0.45, subsurface=0.5)
    try:
        from headform.head.default import load_default

        model = load_default()
    except (ImportError, HeadformError):
        vertices, triangles, uv = egg(64, 132)
        return Surface(vertices, triangles, material, uv), "synthetic head"
    return Surface(model.rest(), model.triangles, material, model.uv, model.triangles_uv), "default head"


def egg(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, triangles and uv of an ellipsoid as large as a head."""
    down, around = np.meshgrid(np.linspace(0, np.pi, rows + 1), np.linspace(0, 2 * np.pi, columns + 1), indexing="ij")
    ball = np.stack([np.sin(down) * np.sin(around), np.cos(down), np.sin(down) * np.cos(around)], -1)
    uv = np.stack([around / (2 * np.pi), 1 - down / np.pi], -1)
    first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    below = first + columns + 1
    triangles = np.concatenate([np.c_[first, below, below + 1], np.c_[first, below + 1, first + 1]])
    return ball.reshape(-1, 3) * (0.08, 0.11, 0.095) + (0, 0.03, 0), triangles, uv.reshape(-1, 2)


def bumps() -> Texture:
    step = np.arange(1024) * 2 * np.pi / 32
    slope = np.stack(np.broadcast_arrays(np.sin(step), np.sin(step)[:, None], 2.0), -1)
    return Texture.normals(slope / np.linalg.norm(slope, axis=-1, keepdims=True) / 2 + 0.5)


def strands(count: int, points: int, length: float = 0.2) -> np.ndarray:
    """(count, points, 3) hair that falls from the upper half of the egg."""
    rng = np.random.default_rng(0)
    out = rng.normal(size=(4 * count, 3))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    out = out[out[:, 1] > 0.5 * out[:, 2]][:count]
    radii, middle = np.array([0.08, 0.11, 0.095]), np.array([0, 0.03, 0])
    place, way = out * radii + middle, out + rng.normal(0, 0.1, out.shape)
    layer = 1 + rng.uniform(0.05, 0.2, (len(out), 1))
    path = [place]
    for _ in range(points - 1):
        way = 0.85 * way / np.linalg.norm(way, axis=1, keepdims=True) - np.array([0, 0.2 * 80 / points, 0])
        place = place + way / np.linalg.norm(way, axis=1, keepdims=True) * length / points
        depth = np.linalg.norm((place - middle) / radii / layer, axis=1, keepdims=True)
        place = np.where(depth < 1, (place - middle) / depth + middle, place)
        path.append(place)
    return np.stack(path, 1)


def cards(centre: np.ndarray, width: float = 0.008) -> Surface:
    """Ribbons along the lines (N, P, 3), with a texture of fine strands."""
    count, points = centre.shape[:2]
    side = np.cross(np.gradient(centre, axis=1), centre - np.array([0, 0.03, 0]))
    side *= width / 2 / np.linalg.norm(side, axis=-1, keepdims=True)
    vertices = np.stack([centre - side, centre + side], 2).reshape(-1, 3)
    uv = np.stack(np.broadcast_arrays([0.0, 1.0], np.linspace(1, 0, points)[:, None]), -1)
    first = (np.arange(count)[:, None] * points + np.arange(points - 1)).ravel() * 2
    triangles = np.concatenate([np.c_[first, first + 1, first + 2], np.c_[first + 1, first + 3, first + 2]])
    image = np.random.default_rng(0).random((1, 128, 4)).repeat(256, 0) * (0.4, 0.3, 0.2, 1)
    image[..., 3] = image[..., 3] > 0.5
    material = Material((1, 1, 1), Texture.colour(image))
    everywhere = np.broadcast_to(uv, (count, points, 2, 2)).reshape(-1, 2)
    return Surface(vertices, triangles, material, everywhere, drawn=Drawn.CARDS)


if __name__ == "__main__":
    main()
