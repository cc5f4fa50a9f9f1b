import subprocess
import sys

import torch
from typer.testing import CliRunner

import gm_lab
from gm_lab.cli import app


def test_version():
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout == f"gm-lab {gm_lab.__version__}\n"


def test_info_names_what_a_bug_report_needs():
    result = CliRunner().invoke(app, ["info"])
    assert result.exit_code == 0
    for value in (gm_lab.__version__, torch.__version__, str(torch.get_num_threads())):
        assert value in result.stdout


def test_an_unknown_command_fails():
    assert CliRunner().invoke(app, ["inof"]).exit_code == 2


def test_help_answers_without_loading_anything_heavy():
    program = (
        "import sys; sys.argv = ['gm-lab', '--help']\n"
        "from gm_lab.cli import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print('loaded:', *{'torch', 'numpy', 'matplotlib', 'IPython', 'sklearn'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "info" in result.stdout
    assert result.stdout.endswith("loaded:\n")
