"""From what is seen to the head: β, ψ, θ, camera, light."""

from headform.fit.fitter import fit_photo
from headform.fit.headfit import Floats, HeadFit

__all__ = ["Floats", "HeadFit", "fit_photo"]
