"""Data sets that need no download: real digits and photos, drawn faces, scenes and heartbeats, toy points."""

from gm_lab.data import series, toy2d
from gm_lab.data.digits import Images, digits
from gm_lab.data.faces import draw_faces, face_factors, faces
from gm_lab.data.photos import photos
from gm_lab.data.scenes import draw_scenes, scene_factors, scenes

__all__ = [
    "Images",
    "digits",
    "draw_faces",
    "draw_scenes",
    "face_factors",
    "faces",
    "photos",
    "scene_factors",
    "scenes",
    "series",
    "toy2d",
]
