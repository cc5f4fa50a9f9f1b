"""Autoencoders: the plain one, and what keeps an autoencoder from copying."""

from gm_lab.autoencoders.autoencoder import Autoencoder
from gm_lab.autoencoders.contractive import ContractiveAutoencoder
from gm_lab.autoencoders.convolutional import ConvolutionalAutoencoder
from gm_lab.autoencoders.denoising import DenoisingAutoencoder
from gm_lab.autoencoders.recurrent import RecurrentAutoencoder
from gm_lab.autoencoders.sparse import SparseAutoencoder, bernoulli_kl
from gm_lab.autoencoders.stacked import StackedAutoencoder

__all__ = [
    "Autoencoder",
    "ContractiveAutoencoder",
    "ConvolutionalAutoencoder",
    "DenoisingAutoencoder",
    "RecurrentAutoencoder",
    "SparseAutoencoder",
    "StackedAutoencoder",
    "bernoulli_kl",
]
