"""From what is seen to the head: β, ψ, θ, camera, light."""
