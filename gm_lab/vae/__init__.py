"""Variational autoencoders."""

from gm_lab.vae.vae import VAE

__all__ = ["VAE"]
