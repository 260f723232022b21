"""The engine that needs no key: non-photorealistic rendering and composition on this machine's CPU.

Not a diffusion model and no AI: classic image processing, every pass of it in this package.
"""
