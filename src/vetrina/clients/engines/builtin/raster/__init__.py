"""Raster helpers shared by the styles."""
