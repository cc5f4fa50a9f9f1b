import math

import pytest
import torch

from gm_lab.autoencoders import (
    Autoencoder,
    ContractiveAutoencoder,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    SparseAutoencoder,
    StackedAutoencoder,
)
from gm_lab.train import fit

SHAPE = (1, 4, 4)

# One of each kind that takes examples of a fixed shape, in a few numbers.
MODELS = {
    "linear": lambda **options: Autoencoder(SHAPE, 3, (), **options),
    "deep": lambda **options: Autoencoder(SHAPE, 3, (8, 6), **options),
    "l1 and l2": lambda **options: Autoencoder(SHAPE, 3, (8,), l1=0.02, l2=0.03, **options),
    "gaussian noise": lambda **options: DenoisingAutoencoder(SHAPE, 20, (8,), **options),
    "masking": lambda **options: DenoisingAutoencoder(SHAPE, 20, (8,), corruption="masking", **options),
    "sparse, l1": lambda **options: SparseAutoencoder(SHAPE, 20, **options),
    "sparse, kl": lambda **options: SparseAutoencoder(SHAPE, 20, (8,), penalty="kl", **options),
    "contractive": lambda **options: ContractiveAutoencoder(SHAPE, 20, **options),
    "convolutional": lambda **options: ConvolutionalAutoencoder(SHAPE, 3, (4, 6), **options),
    "stacked": lambda **options: StackedAutoencoder(SHAPE, (8, 6, 3), **options),
}
PENALTIES = {
    "l1 and l2": {"l1", "l2"},
    "sparse, l1": {"sparsity"},
    "sparse, kl": {"sparsity"},
    "contractive": {"contraction"},
}
every_model = pytest.mark.parametrize("kind", MODELS)


def gaussian_data(n=500, dims=6):
    """Correlated Gaussian data, (n, dims), float64, not centred."""
    generator = torch.Generator().manual_seed(3)
    mixing = torch.randn(dims, dims, generator=generator, dtype=torch.float64)
    noise = torch.randn(n, dims, generator=generator, dtype=torch.float64)
    return noise @ (mixing * torch.linspace(1.0, 0.4, dims, dtype=torch.float64)) + 0.5


def principal_axes(x):
    """Eigenvalues (dims,) and eigenvectors (dims, dims) of the 1/n covariance, the largest first."""
    eigenvalues, eigenvectors = torch.linalg.eigh(torch.cov(x.T, correction=0))
    return eigenvalues.flip(0), eigenvectors.flip(1)


def largest_angle(a, b):
    """The largest principal angle between the column spaces of a and b, in degrees."""
    cosines = torch.linalg.svdvals(torch.linalg.qr(a)[0].T @ torch.linalg.qr(b)[0])
    return math.degrees(math.acos(cosines.min().clamp(max=1).item()))


def images(n=20, seed=1):
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(seed))


# --- exact answers ---


def test_the_weights_of_pca_leave_the_discarded_eigenvalues():
    """A1: the mean error is the sum of the variances that the code does not hold."""
    x = gaussian_data()
    eigenvalues, axes = principal_axes(x)
    model = Autoencoder((6,), 2, hidden_dims=()).double()
    (encoder,), (decoder,) = model.encoder, model.decoder
    with torch.no_grad():
        encoder.weight.copy_(axes[:, :2].T)
        encoder.bias.copy_(-axes[:, :2].T @ x.mean(0))
        decoder.weight.copy_(axes[:, :2])
        decoder.bias.copy_(x.mean(0))
    torch.testing.assert_close(model.error(x).mean(), eigenvalues[2:].sum(), rtol=1e-12, atol=0)
    torch.testing.assert_close(model.loss(x)["loss"], eigenvalues[2:].sum(), rtol=1e-12, atol=0)


def test_training_a_linear_autoencoder_finds_the_principal_subspace():
    """A1: also by gradient descent, from random weights (Baldi and Hornik 1989)."""
    torch.manual_seed(0)
    x = gaussian_data()
    eigenvalues, axes = principal_axes(x)
    model = Autoencoder((6,), 2, hidden_dims=())
    fit(model, x.float(), 500, batch_size=len(x), lr=0.1, decay=True)
    discarded = eigenvalues[2:].sum().item()
    assert discarded > 1  # or the test would say little
    assert model.error(x.float()).mean().item() == pytest.approx(discarded, rel=0.01)
    assert largest_angle(model.decoder[0].weight.double(), axes[:, :2]) < 2


def test_an_overcomplete_linear_autoencoder_copies():
    """A5: with more code units than dimensions and no penalty there is nothing to lose."""
    torch.manual_seed(0)
    x = gaussian_data().float()
    model = Autoencoder((6,), 8, hidden_dims=())
    fit(model, x, 600, batch_size=len(x), lr=0.05, decay=True)
    assert model.error(x).mean().item() < 1e-6 * principal_axes(x)[0].sum().item()


def test_the_cross_entropy_is_that_of_every_pixel():
    model, x = Autoencoder(SHAPE, 3, reconstruction="cross_entropy"), images()
    on = model.reconstruct(x)
    torch.testing.assert_close(on, model.decode(model.encode(x)).sigmoid())
    expected = -(x * on.log() + (1 - x) * (1 - on).log()).sum((1, 2, 3))
    torch.testing.assert_close(model.error(x), expected)


def test_the_weight_penalties_leave_biases_free():
    model = Autoencoder((2,), 1, hidden_dims=(), l1=0.1, l2=0.01).double()
    with torch.no_grad():
        model.encoder[0].weight.copy_(torch.tensor([[1.0, -2.0]]))
        model.decoder[0].weight.copy_(torch.tensor([[3.0], [0.0]]))
        model.encoder[0].bias.fill_(100.0)
        model.decoder[0].bias.fill_(100.0)
    terms = model.loss(torch.zeros(1, 2, dtype=torch.float64))
    assert terms["l1"].item() == pytest.approx(0.1 * 6)
    assert terms["l2"].item() == pytest.approx(0.01 * 14)


# --- what all of them have in common ---


@every_model
@pytest.mark.parametrize("reconstruction", ["squared_error", "cross_entropy"])
def test_shapes_and_units(kind, reconstruction):
    model, x = MODELS[kind](reconstruction=reconstruction), images(7)
    code = model.encode(x)
    assert code.shape == (7, model.code_dim)
    assert model.decode(code).shape == model.reconstruct(x).shape == x.shape
    assert model.error(x).shape == (7,)
    assert not model.reconstruct(x).requires_grad
    if reconstruction == "squared_error":
        torch.testing.assert_close(model.error(x), (x - model.reconstruct(x)).square().sum((1, 2, 3)))
    else:
        assert 0 <= model.reconstruct(9 * x).min() <= model.reconstruct(9 * x).max() <= 1


@every_model
def test_the_loss_is_the_sum_of_its_terms(kind):
    terms = MODELS[kind]().loss(images())
    penalties = PENALTIES.get(kind, set())
    assert set(terms) == {"loss", "reconstruction"} | penalties
    assert all(terms[name] > 0 for name in penalties)
    torch.testing.assert_close(terms["loss"], sum(terms[name] for name in set(terms) - {"loss"}))


@every_model
def test_the_reconstruction_is_a_mean_over_the_batch_of_errors(kind):
    model, x = MODELS[kind](), images()
    if isinstance(model, DenoisingAutoencoder):
        model.corrupt = lambda x: x
    torch.testing.assert_close(model.loss(x)["reconstruction"], model.error(x).mean())
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)  # every output is zero: the error is the squared length of x
    torch.testing.assert_close(model.error(x), x.square().sum((1, 2, 3)))


@every_model
def test_gradients_reach_every_parameter(kind):
    torch.manual_seed(0)
    model = MODELS[kind]()
    model.loss(images())["loss"].backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.parameters())


@every_model
def test_weights_survive_storage(kind):
    model, copy = MODELS[kind](), MODELS[kind]()
    copy.load_state_dict(model.state_dict())
    assert torch.equal(copy.reconstruct(images()), model.reconstruct(images()))


@every_model
def test_training_lowers_the_error(kind):
    torch.manual_seed(0)
    x = images(4).repeat(16, 1, 1, 1)
    model = MODELS[kind]()
    before = model.error(x).mean()
    fit(model, x, 80, lr=0.02)
    assert model.error(x).mean() < 0.6 * before


# --- bad input ---


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"code_dim": 0}, "code_dim must be a positive integer, got 0"),
        ({"code_dim": 2.0}, "code_dim must be a positive integer, got 2.0"),
        (
            {"reconstruction": "mse"},
            "reconstruction must be 'squared_error' or 'cross_entropy', got 'mse'",
        ),
        ({"shape": ()}, r"shape must hold positive integers, got \(\)"),
        ({"shape": (1, 0, 4)}, r"shape must hold positive integers, got \(1, 0, 4\)"),
        ({"hidden_dims": (8, 0)}, "at least two positive integers"),
        ({"l1": -0.1}, "l1 must be a number from 0 up, got -0.1"),
        ({"l2": math.nan}, "l2 must be a number from 0 up, got nan"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(**{"shape": SHAPE, "code_dim": 2} | arguments)


@every_model
@pytest.mark.parametrize("method", ["encode", "reconstruct", "error", "loss"])
def test_bad_shapes_are_refused(kind, method):
    call = getattr(MODELS[kind](), method)
    with pytest.raises(ValueError, match=r"x must have shape \(batch, 1, 4, 4\), got \(20, 4, 4\)"):
        call(images()[:, 0])
    with pytest.raises(ValueError, match=r"x must have shape \(batch, 1, 4, 4\), got \(0, 1, 4, 4\)"):
        call(images()[:0])


@every_model
def test_bad_codes_are_refused(kind):
    model = MODELS[kind]()
    with pytest.raises(ValueError, match=rf"code must have shape \(batch, {model.code_dim}\), got \(5, 99\)"):
        model.decode(torch.zeros(5, 99))
    with pytest.raises(ValueError, match="code must have shape"):
        model.decode(torch.zeros(model.code_dim))


@every_model
@pytest.mark.parametrize("method", ["error", "loss"])
def test_a_cross_entropy_needs_data_between_zero_and_one(kind, method):
    call = getattr(MODELS[kind](reconstruction="cross_entropy"), method)
    for x in (2 * images() - 1, images() + 0.5, images() * math.nan):
        with pytest.raises(ValueError, match=r"x must lie in \[0, 1\], got values in"):
            call(x)
    getattr(MODELS[kind](), method)(6 * images() - 3)  # the squared error takes any value
