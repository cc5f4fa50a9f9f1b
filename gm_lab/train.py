"""Train any model of the book: one loop, the history it keeps, and checkpoints."""

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

READ_EVERY = 50  # steps between two readings of the losses: reading a number makes the CPU wait for a GPU


class History(dict):
    """What training recorded: a dict of lists of numbers.

    `"step"` counts 1, 2, …; beside it stands one list for each key of the model's loss. With validation data
    there are also `"validation/step"` and `"validation/KEY"`, with one number for each evaluation.
    """

    def __repr__(self) -> str:  # the last numbers: a notebook must not print thousands
        return f"History({', '.join(f'{key} {values[-1]:.4g}' for key, values in self.items())})"


class NonFiniteLossError(FloatingPointError):
    """A loss became infinite or not a number. `history` holds every step before that one."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def fit(
    model: nn.Module,
    data: Tensor | tuple[Tensor, ...],
    steps: int,
    batch_size: int = 64,
    lr: float = 1e-3,
    *,
    weight_decay: float = 0.0,
    decay: bool = False,
    validation: Tensor | tuple[Tensor, ...] | None = None,
    every: int = 100,
    progress: bool = True,
) -> History:
    """Minimize `model.loss(*batch)["loss"]` with Adam, on a GPU when there is one.

    Batches are drawn without replacement from a fresh shuffle in every epoch; examples that do not fill a
    last batch wait for the next shuffle. Order and noise follow `torch.manual_seed`. Ctrl-C (a notebook's
    stop button) ends training early: the model keeps what it has learned, and the history so far is returned.
    A script started with `fabric run --devices N` trains on N devices: each process draws its own
    `batch_size` examples, and gradients and recorded losses are averages over all of them.

    Args:
        model: has `loss(*batch) -> dict` of scalar tensors; `"loss"` is minimized, the others are recorded.
            Afterwards it is on the device it came from, in evaluation mode.
        data: tensor `(n, ...)`, or a tuple of tensors of equal length (images and labels); kept in memory.
        steps: number of parameter updates.
        batch_size: examples in a step; more than there are means all of them.
        lr: Adam's step size.
        weight_decay: decoupled weight decay (AdamW; Loshchilov and Hutter 2019).
        decay: let `lr` fall to zero along half a cosine (Loshchilov and Hutter 2017).
        validation: held-out data of the same form, evaluated without gradients, in evaluation mode, with the
            same noise each time, and without any effect on the training run.
        every: steps between two evaluations; the last step is always evaluated.
        progress: show a progress bar if training takes longer than a second and somebody is there to see it.

    Raises:
        ValueError: the model has no `loss` or no parameters, or data, steps or sizes make no sense.
        NonFiniteLossError: a loss is infinite or not a number; it names the step and the term.
    """
    for name, value in {"steps": steps, "batch_size": batch_size, "every": every}.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a positive integer, got {value!r}")
    if not callable(getattr(model, "loss", None)):
        raise ValueError(f"model must have a method loss(*batch) -> dict, {type(model).__name__} has none")
    home = next((parameter.device for parameter in model.parameters()), None)
    if home is None:
        raise ValueError(f"model must have parameters to train, {type(model).__name__} has none")
    tensors = _as_tensors(data, "data")
    held_out = None if validation is None else _as_tensors(validation, "validation")

    from lightning_fabric import Fabric  # takes a second to import

    if os.environ.get("LT_CLI_USED"):  # set by `fabric run`, which says on what, and has launched us
        fabric = Fabric()
    else:
        fabric = Fabric(accelerator="cuda" if torch.cuda.is_available() else "cpu", devices=1)
    model.to(fabric.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps) if decay else None
    wrapped, fabric_optimizer = fabric.setup(model, optimizer)
    wrapped.mark_forward_method("loss")  # lets several devices see it, and so average their gradients
    loss = wrapped.loss

    tensors = [tensor.to(fabric.device) for tensor in tensors]
    batches = _batches(len(tensors[0]), batch_size, fabric)
    recorded, evaluated, unread = [], [], []  # rows of numbers; the unread ones are still tensors
    bar = _progress_bar(steps, progress and fabric.is_global_zero)
    try:
        model.train()
        for step in range(1, steps + 1):
            index = next(batches)
            terms = loss(*(tensor[index] for tensor in tensors))
            _check_terms(terms)
            optimizer.zero_grad()
            fabric.backward(terms["loss"])
            fabric_optimizer.step()
            if schedule:
                schedule.step()
            unread.append({key: value.detach() for key, value in terms.items()})
            if step % READ_EVERY == 0 or step == steps:
                _read(unread, recorded, evaluated, fabric)
                bar.set_postfix(loss=f"{recorded[-1]['loss']:.4g}", refresh=False)
            if held_out and (step % every == 0 or step == steps):
                evaluated.append({"step": step} | _evaluate(model, held_out, batch_size, fabric.device))
            bar.update()
    except KeyboardInterrupt:
        if fabric.world_size > 1:  # each process stopped at another step: there is no common history
            raise
        _read(unread, recorded, evaluated, fabric)
        print(f"Stopped after {len(recorded)} of {steps} steps; the model keeps what it has learned.")
    finally:
        bar.close()
        optimizer.zero_grad()
        model.to(home).eval()
    return _history(recorded, evaluated)


def save_checkpoint(path: str | Path, model: nn.Module, **numbers: float | str) -> None:
    """Write the model's weights to a file, and numbers with them: `save_checkpoint(path, vae, steps=5000)`.

    The file appears complete or not at all. Raises ValueError for a number that is neither number nor string.
    """
    for name, value in numbers.items():
        if not isinstance(value, int | float | str):
            raise ValueError(f"{name} must be a number or a string, got {type(value).__name__}")
    path = Path(path)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        torch.save({"weights": model.state_dict(), "numbers": numbers}, unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def load_checkpoint(path: str | Path, model: nn.Module) -> dict[str, float | str]:
    """Read weights into a model of the same shape, and return the numbers saved with them.

    Only tensors and plain values are read: a file from a stranger can run no code. Raises FileNotFoundError
    if there is no such file, and ValueError if it is damaged, no checkpoint, or of another model. After an
    error the model is as it was.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        weights, numbers = checkpoint["weights"], checkpoint["numbers"]
        found = {name: tuple(value.shape) for name, value in weights.items()}
    except Exception as error:  # what torch.load raises depends on which byte is wrong
        raise ValueError(f"{path} is damaged, or was not written by save_checkpoint") from error
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    for name in expected | found:
        if expected.get(name) != found.get(name):
            raise ValueError(
                f"{path} is of another model than this {type(model).__name__}: {name} has shape "
                f"{found.get(name, 'none')} in the file and {expected.get(name, 'none')} in the model"
            )
    model.load_state_dict(weights)
    return numbers


def _batches(n: int, batch_size: int, fabric) -> Iterator[Tensor]:
    """Endless index tensors `(batch,)`, each process its own share of one common shuffle."""
    world = fabric.world_size
    if n < world:
        raise ValueError(f"data has {n} examples, too few for {world} processes")
    seed = fabric.broadcast(torch.randint(2**62, ()).item())
    if world > 1:  # a script gives every process the same seed; their noise must differ
        torch.manual_seed(seed + 1 + fabric.global_rank)
    generator = torch.Generator().manual_seed(seed)
    size = min(batch_size, n // world)
    while True:
        order = torch.randperm(n, generator=generator).to(fabric.device)
        for together in range(0, n - size * world + 1, size * world):
            start = together + size * fabric.global_rank
            yield order[start : start + size]


def _evaluate(
    model: nn.Module, data: list[Tensor], batch_size: int, device: torch.device
) -> dict[str, float]:
    """Mean of every loss term over the data; the random state of training is left as it was."""
    n = len(data[0])
    totals = {}
    model.eval()
    with torch.no_grad(), torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        for start in range(0, n, batch_size):
            batch = [tensor[start : start + batch_size].to(device) for tensor in data]
            for key, value in model.loss(*batch).items():
                totals[key] = totals.get(key, 0.0) + value * len(batch[0]) / n
    model.train()
    return {key: float(value) for key, value in totals.items()}


def _read(unread: list[dict], recorded: list[dict], evaluated: list[dict], fabric) -> None:
    """Turn loss tensors into numbers, all in one copy from the device, averaged over processes."""
    if not unread:
        return
    values = torch.stack([value.float() for terms in unread for value in terms.values()])
    values = iter(fabric.all_reduce(values, reduce_op="mean").tolist())
    for terms in unread:
        row = {"step": len(recorded) + 1} | {key: next(values) for key in terms}
        for key, value in row.items():
            if not math.isfinite(value):
                raise NonFiniteLossError(
                    f"{key} became {value} at step {row['step']}; the model's weights are no longer usable. "
                    "Try a smaller lr, and look at the data for values far out of range",
                    _history(recorded, [earlier for earlier in evaluated if earlier["step"] < row["step"]]),
                )
        recorded.append(row)
    unread.clear()


def _history(recorded: list[dict], evaluated: list[dict]) -> History:
    history = History()
    for prefix, rows in (("", recorded), ("validation/", evaluated)):
        for row in rows:
            for key, value in row.items():
                history.setdefault(prefix + key, []).append(value)
    return history


def _progress_bar(steps: int, wanted: bool):
    """A bar that appears after a second and vanishes when done; none where a program stores the output."""
    from tqdm.auto import tqdm

    return tqdm(total=steps, delay=1, leave=False, disable=not (wanted and _somebody_watches()))


def _somebody_watches() -> bool:
    """Is there a terminal, or a notebook with a reader? (A program that runs one answers no input().)"""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return sys.stderr.isatty()
    return kernel.get_parent("shell")["content"].get("allow_stdin", False)


def _as_tensors(data: Tensor | tuple[Tensor, ...], name: str) -> list[Tensor]:
    tensors = [data] if isinstance(data, Tensor) else list(data)
    if not tensors or not all(isinstance(tensor, Tensor) and tensor.dim() > 0 for tensor in tensors):
        raise ValueError(f"{name} must be a tensor (n, ...) or a tuple of them, got {type(data).__name__}")
    lengths = [len(tensor) for tensor in tensors]
    if len(set(lengths)) > 1 or lengths[0] == 0:
        raise ValueError(f"{name} must hold tensors of one length, at least 1, got lengths {lengths}")
    return tensors


def _check_terms(terms: dict[str, Tensor]) -> None:
    if not isinstance(terms, dict) or "loss" not in terms:
        raise ValueError(f"model.loss must return a dict with the key 'loss', got {terms!r}")
    for key, value in terms.items():
        if not isinstance(value, Tensor) or value.dim() > 0:
            raise ValueError(f"model.loss must return scalar tensors, got {value!r} for {key!r}")
