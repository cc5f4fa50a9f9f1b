import pytest
import torch
from torch import nn

from gm_lab.nets import mlp


def test_layers_alternate_and_the_last_one_is_linear():
    net = mlp([3, 5, 7, 2], activation=nn.ReLU)
    assert [type(layer) for layer in net] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert [tuple(layer.weight.shape) for layer in net[::2]] == [(5, 3), (7, 5), (2, 7)]
    assert net(torch.zeros(4, 6, 3)).shape == (4, 6, 2)


def test_two_sizes_make_a_linear_map():
    net = mlp([3, 2]).double()
    x, y = torch.randn(2, 5, 3, dtype=torch.float64)
    torch.testing.assert_close(net(x + y) + net(torch.zeros_like(x)), net(x) + net(y))


@pytest.mark.parametrize("sizes", [[], [3], [3, 0, 2], [3, -1], [3, 2.5]])
def test_bad_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="at least two positive integers"):
        mlp(sizes)
