"""gm_lab: generative models that read like their papers, tested against exact answers."""

from gm_lab.notebook import show

__all__ = ["show"]
__version__ = "0.1.0"
