"""The gm-lab command. Nothing heavy is imported before a command needs it, so `--help` answers at once."""

import os
import platform
from typing import Annotated

import typer

from gm_lab import __version__
from gm_lab.grading import commands

app = typer.Typer(no_args_is_help=True, add_completion=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gm-lab {__version__}")
        raise typer.Exit()


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Generative models that read like their papers, and the tools around the book."""


@app.command()
def info() -> None:
    """Print versions, devices and threads: what a question about a problem should come with."""
    import torch

    devices = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    for name, value in {
        "gm-lab": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "GPUs": ", ".join(devices) or "none",
        "CPU cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }.items():
        typer.echo(f"{name:10}{value}")


commands.add_to(app)
