"""Data sets that need no download: real digits, drawn faces and scenes, and points in the plane."""

from gm_lab.data import toy2d
from gm_lab.data.digits import Images, digits
from gm_lab.data.faces import draw_faces, face_factors, faces
from gm_lab.data.scenes import draw_scenes, scene_factors, scenes

__all__ = [
    "Images",
    "digits",
    "draw_faces",
    "draw_scenes",
    "face_factors",
    "faces",
    "scene_factors",
    "scenes",
    "toy2d",
]
