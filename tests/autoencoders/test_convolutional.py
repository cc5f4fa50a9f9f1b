import pytest
import torch

from gm_lab.autoencoders import ConvolutionalAutoencoder


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 16, 32), (2, 64, 16)])
@pytest.mark.parametrize("channels", [(4,), (4, 6), (2, 3, 4)])
def test_shapes(shape, channels):
    model, x = ConvolutionalAutoencoder(shape, 5, channels), torch.rand(3, *shape)
    assert model.encode(x).shape == (3, 5)
    assert model.decode(model.encode(x)).shape == model.reconstruct(x).shape == x.shape


def test_every_level_halves_the_image_and_the_decoder_doubles_it():
    model = ConvolutionalAutoencoder((3, 16, 32), 5, (4, 6))
    sizes = []
    for layer in model.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(lambda layer, inputs, output: sizes.append(tuple(output.shape[1:])))
    model.error(torch.rand(2, 3, 16, 32))
    assert sizes == [(4, 8, 16), (6, 4, 8), (4, 8, 16), (3, 16, 32)]


def test_a_feature_sees_a_neighbourhood_only():
    """Two strided 3×3 convolutions: a feature of the second level sees 7×7 pixels."""
    model, x = ConvolutionalAutoencoder((1, 32, 32), 5, (4, 6)), torch.rand(1, 1, 32, 32, requires_grad=True)
    features = model.encoder[:-2](x.flatten(1))  # (1, 6, 8, 8)
    features[0, :, 4, 4].sum().backward()
    seen = x.grad[0, 0] != 0
    rows, columns = seen.any(1).nonzero().flatten().tolist(), seen.any(0).nonzero().flatten().tolist()
    assert rows == columns == list(range(13, 20))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (1, 8, 6)}, r"multiples of 4 for 2 levels, got \(1, 8, 6\)"),
        ({"shape": (8, 8)}, r"shape must be \(channels, height, width\).*got \(8, 8\)"),
        ({"channels": ()}, r"channels must hold positive integers, got \(\)"),
        ({"channels": (4, 0)}, r"channels must hold positive integers, got \(4, 0\)"),
        ({"code_dim": 0}, "code_dim must be a positive integer, got 0"),
        ({"reconstruction": "mse"}, "reconstruction must be"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ConvolutionalAutoencoder(**{"shape": (1, 8, 8), "code_dim": 2} | arguments)
