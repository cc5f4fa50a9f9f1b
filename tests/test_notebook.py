"""gm_lab.notebook: seeds, prose from values, known answers, source on show."""

import random

import numpy as np
import pytest
import torch

from gm_lab import notebook, probability


def test_setup_seeds_every_generator():
    def draw():
        notebook.setup(seed=3)
        return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002

    assert draw() == draw()


def test_check_prints_both_numbers(capsys):
    notebook.check("KL", torch.tensor(1.30686), 1.3068528)
    assert capsys.readouterr().out == "KL: 1.3069  (exact 1.3069)\n"


def test_check_takes_tensors_with_gradients(capsys):
    notebook.check("KL", torch.tensor(2.0, requires_grad=True), torch.tensor(2.0))
    assert capsys.readouterr().out == "KL: 2.0000  (exact 2.0000)\n"


def test_check_prints_no_negative_zero(capsys):
    notebook.check("zero", -1e-9, 0.0)
    assert capsys.readouterr().out == "zero: 0.0000  (exact 0.0000)\n"


@pytest.mark.parametrize("value", [1.31, float("nan"), float("inf")])
def test_check_fails_on_a_wrong_answer(value):
    with pytest.raises(AssertionError, match=r"KL: got .*, but the exact answer is 1.30685"):
        notebook.check("KL", value, 1.3068528)


def test_say_displays_markdown_with_the_same_plain_text(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append((data, raw)))
    notebook.say("a **b**")
    assert shown == [({"text/markdown": "a **b**", "text/plain": "a **b**"}, True)]


def test_show_prints_the_source(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    notebook.show(probability.entropy)
    notebook.show(torch.nn.Linear.forward)
    assert "-torch.xlogy(p, p).sum(-1)" in shown[0].data
    assert shown[1].data.startswith("def forward(")  # methods lose their indentation


def test_show_refuses_what_has_no_source():
    with pytest.raises(TypeError):
        notebook.show(3)
