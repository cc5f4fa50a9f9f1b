import copy
import math
import os
import socket
import subprocess
import sys
import textwrap

import pytest
import torch
from torch import nn

from gm_lab.train import History, NonFiniteLossError, fit, load_checkpoint, save_checkpoint
from gm_lab.vae import VAE


class Regression(nn.Module):
    """Linear regression, and a record of the batches it was given."""

    def __init__(self, inputs=3):
        super().__init__()
        self.linear = nn.Linear(inputs, 1)
        self.batches = []

    def loss(self, x, y):
        if self.training:
            self.batches.append((x, y))
        error = ((self.linear(x)[:, 0] - y) ** 2).mean()
        return {"loss": error, "bias": self.linear.bias[0]}


class Broken(Regression):
    """Its loss does at one step what the test asks for."""

    def __init__(self, step, action):
        super().__init__()
        self.step, self.action = step, action

    def loss(self, x, y):
        terms = super().loss(x, y)
        return self.action(terms) if len(self.batches) == self.step else terms


@pytest.fixture
def line():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(50, 3, generator=generator)
    return x, x @ torch.tensor([1.0, -2.0, 0.5]) + 0.3


def binary_images(n=40):
    return (torch.rand(n, 1, 4, 4, generator=torch.Generator().manual_seed(1)) < 0.3).float()


# --- the loop ---


@pytest.mark.parametrize("decay", [False, True])
def test_fit_takes_the_steps_of_a_hand_written_loop(line, decay):
    model = Regression()
    by_hand = copy.deepcopy(model)
    steps, lr = 7, 0.1
    history = fit(model, line, steps, batch_size=16, lr=lr, weight_decay=0.01, decay=decay)

    optimizer = torch.optim.AdamW(by_hand.parameters(), lr=lr, weight_decay=0.01, fused=True)
    losses = []
    for step, (x, y) in enumerate(model.batches):
        for group in optimizer.param_groups:
            group["lr"] = lr * 0.5 * (1 + math.cos(math.pi * step / steps)) if decay else lr
        loss = by_hand.loss(x, y)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert len(losses) == steps
    assert history["loss"] == pytest.approx(losses, rel=1e-6)
    torch.testing.assert_close(model.state_dict(), by_hand.state_dict(), rtol=1e-6, atol=1e-7)


def test_an_epoch_shows_every_example_once_in_a_new_order(line):
    model = Regression()
    fit(model, line, 10, batch_size=10)
    epochs = [torch.cat([y for _, y in model.batches[start : start + 5]]) for start in (0, 5)]
    for epoch in epochs:
        torch.testing.assert_close(epoch.sort().values, line[1].sort().values, rtol=0, atol=0)
    assert not torch.equal(*epochs)


def test_the_order_of_batches_follows_the_seed(line):
    first = []
    for seed in (0, 0, 1):
        model = Regression()
        torch.manual_seed(seed)
        fit(model, line, 1, batch_size=10)
        first.append(model.batches[0][1])
    assert torch.equal(first[0], first[1])
    assert not torch.equal(first[0], first[2])


def test_inputs_and_targets_stay_together(line):
    model = Regression()
    fit(model, line, 5, batch_size=8)
    for x, y in model.batches:
        torch.testing.assert_close(x @ torch.tensor([1.0, -2.0, 0.5]) + 0.3, y)


def test_a_batch_is_never_larger_than_the_data(line):
    model = Regression()
    fit(model, line, 2, batch_size=1000)
    assert [len(y) for _, y in model.batches] == [50, 50]


def test_it_finds_the_least_squares_solution(line):
    model = Regression()
    history = fit(model, line, 1500, batch_size=50, lr=0.05, decay=True)
    torch.testing.assert_close(model.linear.weight[0], torch.tensor([1.0, -2.0, 0.5]), atol=1e-4, rtol=0)
    assert model.linear.bias.item() == pytest.approx(0.3, abs=1e-4)
    assert history["loss"][-1] < 1e-6


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    runs = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        runs.append(fit(VAE((1, 4, 4), 2, (8,)), binary_images(), 60, batch_size=8))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_the_model_comes_back_ready_to_use(line):
    model = Regression()
    fit(model, line, 2)
    assert not model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert next(model.parameters()).device.type == "cpu"
    fit(model, line, 2)  # and can be trained further
    assert len(model.batches) == 4


# --- history and validation ---


def test_history_has_a_number_for_every_step_and_term(line):
    history = fit(Regression(), line, 123)
    assert isinstance(history, dict)
    assert set(history) == {"step", "loss", "bias"}
    assert history["step"] == list(range(1, 124))
    assert all(len(values) == 123 for values in history.values())
    assert all(isinstance(value, float) for value in history["loss"] + history["bias"])


def test_history_prints_its_last_numbers_only():
    assert repr(History(step=[1, 2], loss=[3.0, 0.123456])) == "History(step 2, loss 0.1235)"
    assert repr(History()) == "History()"


def test_validation_is_the_mean_over_all_held_out_examples(line):
    held_out = line[0][:21] + 1, line[1][:21]
    model = Regression()
    history = fit(model, line, 25, batch_size=8, validation=held_out, every=10)
    assert history["validation/step"] == [10, 20, 25]
    with torch.no_grad():  # 21 examples are two full batches and a smaller one
        expected = model.loss(*held_out)["loss"].item()
    assert history["validation/loss"][-1] == pytest.approx(expected, rel=1e-6)
    assert len(history["validation/bias"]) == 3


def test_validation_does_not_change_the_run():
    runs = []
    for validation in (None, binary_images(30)):
        torch.manual_seed(0)
        model = VAE((1, 4, 4), 2, (8,))
        history = fit(model, binary_images(), 30, batch_size=8, validation=validation, every=7)
        runs.append((history["loss"], model.state_dict(), torch.rand(1)))
    assert runs[0][0] == runs[1][0]
    torch.testing.assert_close(runs[0][1], runs[1][1], rtol=0, atol=0)
    assert runs[0][2] == runs[1][2]


def test_validation_noise_is_the_same_each_time():
    model = VAE((1, 4, 4), 2, (8,))
    history = fit(model, binary_images(), 4, lr=0.0, validation=binary_images(30), every=1)
    assert len(set(history["validation/loss"])) == 1
    assert len(set(history["loss"])) == 4


def test_validation_sees_the_model_in_evaluation_mode_without_gradients(line):
    seen = []

    class Spy(Regression):
        def loss(self, x, y):
            seen.append((self.training, torch.is_grad_enabled()))
            return super().loss(x, y)

    fit(Spy(), line, 3, batch_size=50, validation=line, every=2)
    train, check = (True, True), (False, False)
    assert seen == [train, train, check, train, check]


# --- interrupts, broken losses ---


def test_an_interrupt_returns_the_history_so_far_and_a_usable_model(line, capsys):
    def interrupt(terms):
        raise KeyboardInterrupt

    model = Broken(step=61, action=interrupt)
    history = fit(model, line, 1000, batch_size=8)
    assert history["step"] == list(range(1, 61))
    assert len(history["loss"]) == 60
    assert "Stopped after 60 of 1000 steps" in capsys.readouterr().out
    assert not model.training
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    model.step = None
    assert len(fit(model, line, 2)["loss"]) == 2


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_training_and_keeps_the_history(line, value):
    def spoil(terms):
        return terms | {"bias": terms["bias"] * 0 + value}

    with pytest.raises(NonFiniteLossError, match=f"bias became {value} at step 58") as caught:
        fit(Broken(step=58, action=spoil), line, 1000, batch_size=8, validation=line, every=20)
    history = caught.value.history
    assert history["step"] == list(range(1, 58))
    assert history["validation/step"] == [20, 40]


def test_a_too_large_step_size_is_caught(line):
    class Exploding(Regression):
        def loss(self, x, y):
            return {"loss": torch.exp(super().loss(x, y)["loss"] * 100)}

    with pytest.raises(NonFiniteLossError, match="loss became inf at step"):
        fit(Exploding(), line, 100, lr=100.0)


# --- bad input ---


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps must be a positive integer, got 0"),
        ({"steps": 2.5}, "steps must be a positive integer, got 2.5"),
        ({"batch_size": 0}, "batch_size must be a positive integer, got 0"),
        ({"every": 0}, "every must be a positive integer, got 0"),
        ({"model": nn.Linear(3, 1)}, "must have a method loss.*Linear has none"),
        ({"data": torch.zeros(0, 3)}, "data must hold tensors of one length, at least 1, got lengths .0."),
        ({"data": (torch.zeros(5, 3), torch.zeros(4))}, r"one length, at least 1, got lengths \[5, 4\]"),
        ({"data": ()}, "data must be a tensor"),
        ({"data": torch.tensor(1.0)}, "data must be a tensor"),
        ({"data": [[1.0, 2.0]]}, "data must be a tensor"),
        ({"validation": torch.zeros(0, 3)}, "validation must hold tensors"),
    ],
)
def test_bad_input_is_refused(line, change, message):
    arguments = {"model": Regression(), "data": line, "steps": 1} | change
    with pytest.raises(ValueError, match=message):
        fit(**arguments)


def test_a_model_without_parameters_is_refused(line):
    class Empty(nn.Module):
        def loss(self, x, y):
            return {"loss": y.mean()}

    with pytest.raises(ValueError, match="must have parameters to train, Empty has none"):
        fit(Empty(), line, 1)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (torch.tensor(1.0), "must return a dict with the key 'loss'"),
        ({"error": torch.tensor(1.0)}, "must return a dict with the key 'loss'"),
        ({"loss": torch.ones(3)}, "must return scalar tensors"),
        ({"loss": torch.tensor(1.0), "kl": 0.5}, "must return scalar tensors, got 0.5 for 'kl'"),
    ],
)
def test_a_loss_of_the_wrong_form_is_refused(line, terms, message):
    with pytest.raises(ValueError, match=message):
        fit(Broken(step=1, action=lambda _: terms), line, 1)


# --- checkpoints ---


def test_a_checkpoint_brings_back_weights_and_numbers(tmp_path):
    model, other = Regression(), Regression()
    path = tmp_path / "model.pt"
    save_checkpoint(path, model, steps=500, test_loss=1.25, note="lr 1e-3")
    assert load_checkpoint(path, other) == {"steps": 500, "test_loss": 1.25, "note": "lr 1e-3"}
    torch.testing.assert_close(other.state_dict(), model.state_dict(), rtol=0, atol=0)
    assert os.listdir(tmp_path) == ["model.pt"]


def test_a_failed_save_leaves_the_old_checkpoint_alone(tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    save_checkpoint(path, Regression(), steps=1)
    before = path.read_bytes()

    def full_disk(checkpoint, target):
        target.write_bytes(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, Regression(), steps=2)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.pt"]


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint .*model\.pt"):
        load_checkpoint(tmp_path / "model.pt", Regression())


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "other"])
def test_a_damaged_checkpoint_is_refused_and_the_model_kept(tmp_path, damage):
    path = tmp_path / "model.pt"
    save_checkpoint(path, Regression())
    content = path.read_bytes()
    if damage == "other":
        torch.save([1, 2], path)
    else:
        path.write_bytes(
            {"cut": content[: len(content) // 2], "garbage": b"not a file", "empty": b""}[damage]
        )
    model = Regression()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match="is damaged, or was not written by save_checkpoint"):
        load_checkpoint(path, model)
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)


def test_a_checkpoint_cannot_run_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "owned"),)

    torch.save({"weights": {}, "numbers": Evil()}, tmp_path / "model.pt")
    with pytest.raises(ValueError, match="is damaged"):
        load_checkpoint(tmp_path / "model.pt", Regression())
    assert not (tmp_path / "owned").exists()


def test_a_checkpoint_of_another_model_is_refused_and_the_model_kept(tmp_path):
    path = tmp_path / "model.pt"
    save_checkpoint(path, Regression(inputs=4))
    model = Regression(inputs=3)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match=r"linear.weight has shape \(1, 4\) in the file and \(1, 3\) in the"):
        load_checkpoint(path, model)
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)
    with pytest.raises(ValueError, match="of another model"):
        load_checkpoint(path, VAE((1, 4, 4), 2))


def test_only_plain_numbers_go_into_a_checkpoint(tmp_path):
    with pytest.raises(ValueError, match="loss must be a number or a string, got Tensor"):
        save_checkpoint(tmp_path / "model.pt", Regression(), loss=torch.tensor(1.0))


# --- who sees the progress bar, several processes ---


def test_a_program_that_runs_a_notebook_sees_no_progress_bar():
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    code = """
    import time, torch
    from gm_lab.train import fit
    class Slow(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))
        def loss(self, x):
            time.sleep(0.15)
            return {"loss": (self.weight - x).square().mean()}
    history = fit(Slow(), torch.ones(4, 1), 12)
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(textwrap.dedent(code))])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    assert notebook.cells[0].outputs == []


SCRIPT = """
import os, sys, torch
from gm_lab.train import fit

class Mean(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.mean = torch.nn.Parameter(torch.zeros(1))
        self.seen, self.noise = [], []
    def loss(self, x):
        self.seen.append(x)
        self.noise.append(torch.randn(1))
        error = (self.mean - x).square().mean()
        return {"loss": error, "first": x[0]}

torch.manual_seed(0)
model = Mean()
history = fit(model, torch.arange(8.0), 2, batch_size=2, lr=0.1, validation=torch.arange(3.0), every=2)
again = fit(model, torch.arange(8.0), 2, batch_size=2, lr=0.1)
result = {"seen": torch.stack(model.seen[:2]), "noise": torch.cat(model.noise), "mean": model.mean.detach(),
          "history": dict(history)}
torch.save(result, os.path.join(sys.argv[1], os.environ["RANK"]))
"""


def test_two_processes_share_the_batches_and_agree_on_the_model(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with socket.socket() as probe:  # a port that is free now
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launcher = [sys.executable, "-m", "lightning_fabric.cli", "--accelerator=cpu", "--devices=2"]
    launcher += [f"--main-port={port}", str(script), str(tmp_path)]
    with subprocess.Popen(launcher, stderr=subprocess.PIPE, text=True) as run:
        try:
            errors = run.communicate(timeout=180)[1]
        except subprocess.TimeoutExpired:
            run.terminate()  # not kill: the launcher must end its processes, too
            raise
    assert run.returncode == 0, errors
    first, second = (torch.load(tmp_path / rank) for rank in "01")
    shown = torch.cat([first["seen"], second["seen"]]).flatten()
    assert shown.sort().values.tolist() == list(range(8))  # one epoch: no example twice, none left out
    assert first["history"] == second["history"]
    means = [(a[0] + b[0]).item() / 2 for a, b in zip(first["seen"], second["seen"], strict=True)]
    assert first["history"]["first"] == pytest.approx(means)
    assert first["mean"] == second["mean"]
    assert not torch.equal(first["noise"], second["noise"])
