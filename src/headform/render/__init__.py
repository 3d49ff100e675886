"""Pictures of heads without a graphics card: camera, light, materials, a z-buffer, hair strands."""

from headform.render.camera import Camera
from headform.render.light import Lamp, Light, studio_light
from headform.render.material import Material
from headform.render.picture import Picture
from headform.render.raster import Raster, rasterise, visible
from headform.render.scene import Scene, render
from headform.render.sheet import contact_sheet
from headform.render.strands import Strands
from headform.render.surface import Drawn, Surface
from headform.render.texture import Texture

__all__ = [
    "Camera",
    "Drawn",
    "Lamp",
    "Light",
    "Material",
    "Picture",
    "Raster",
    "Scene",
    "Strands",
    "Surface",
    "Texture",
    "contact_sheet",
    "rasterise",
    "render",
    "studio_light",
    "visible",
]
