"""A small assignment of three questions and a written one, and ways to answer it."""

import json

from nbformat.v4 import new_code_cell, new_markdown_cell

from gm_lab.grading.assignment import complete, grading
from gm_lab.grading.sandbox import Limits

SETUP = """\
import torch
from gm_lab.grading.checks import check, record
"""
KL = '''\
def gaussian_kl(mean, log_var):
    """KL(N(mean, exp(log_var)) || N(0, 1)) in nats, summed over the last dimension."""
    ### BEGIN SOLUTION
    return 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(-1)
    ### END SOLUTION'''
KL_CHECK = """\
check("KL(N(1, 4), N(0, 1))", lambda: gaussian_kl(torch.tensor([1.0]), torch.tensor([4.0]).log()), 1.3068528,
      hint="variance + mean² - 1 - log variance, and one half of it")
check("KL of two rows", lambda: gaussian_kl(torch.ones(2, 3), torch.zeros(2, 3)), [1.5, 1.5],
      hint="sum over the last dimension")"""
KL_HIDDEN = """\
### BEGIN HIDDEN TESTS
sesame_mean = torch.linspace(-2, 2, 12).reshape(3, 4)
record("KL", lambda: gaussian_kl(sesame_mean, torch.sin(sesame_mean)))
### END HIDDEN TESTS"""
SAMPLE = '''\
def sample(mean, log_var, noise):
    """A reparameterized sample."""
    ### BEGIN SOLUTION
    return mean + (0.5 * log_var).exp() * noise
    ### END SOLUTION'''
SAMPLE_CHECK = """\
check("a sample", lambda: sample(torch.zeros(3), torch.zeros(3), torch.tensor([1.0, 2.0, 3.0])), [1, 2, 3])"""
SAMPLE_HIDDEN = """\
### BEGIN HIDDEN TESTS
sesame_angles = torch.cos(torch.arange(4.0))
record("sample", lambda: sample(sesame_angles, 2 * sesame_angles, sesame_angles**2))
### END HIDDEN TESTS"""
WEIGHTS = '''\
def weights(log_weights):
    """Normalized weights."""
    ### BEGIN SOLUTION
    return torch.softmax(log_weights, -1)
    ### END SOLUTION'''
WEIGHTS_CHECK = """check("equal weights", lambda: weights(torch.zeros(2)), [0.5, 0.5])"""
WEIGHTS_HIDDEN = """\
### BEGIN HIDDEN TESTS
record("weights", lambda: weights(torch.tensor([1000.0, 1001.0])))
### END HIDDEN TESTS"""

ANSWERS = {
    "q1": KL.replace("    ### BEGIN SOLUTION\n", "").replace("\n    ### END SOLUTION", ""),
    "q2": SAMPLE.replace("    ### BEGIN SOLUTION\n", "").replace("\n    ### END SOLUTION", ""),
    "q3": WEIGHTS.replace("    ### BEGIN SOLUTION\n", "").replace("\n    ### END SOLUTION", ""),
}
WRONG_KL = ANSWERS["q1"].replace("0.5 * ", "")
POINTS = {"q1": 4, "q2": 3, "q3": 3, "q4": 0}
# Short, so that the tests are. The memory must hold PyTorch's libraries.
LIMITS = Limits(
    cell_seconds=4,
    total_seconds=12,
    memory=3 << 30,
    file_size=8 << 20,
    disk=16 << 20,
    threads=64,
    output=1 << 20,
)


def part(source, grade_id, **about):
    return new_code_cell(source, metadata={"nbgrader": complete({"grade_id": grade_id, **about})})


def toy_cells():
    return [
        new_markdown_cell("# Assignment: toys"),
        new_code_cell(SETUP),
        new_markdown_cell("## Question 1. KL"),
        part(KL, "q1", solution=True),
        part(KL_CHECK, "q1-check", points=1),
        part(KL_HIDDEN, "q1-hidden", points=3),
        new_markdown_cell("## Question 2. Sample"),
        part(SAMPLE, "q2", solution=True),
        part(SAMPLE_CHECK, "q2-check", points=1),
        part(SAMPLE_HIDDEN, "q2-hidden", points=2),
        new_markdown_cell("## Question 3. Weights"),
        part(WEIGHTS, "q3", solution=True),
        part(WEIGHTS_CHECK, "q3-check", points=1),
        part(WEIGHTS_HIDDEN, "q3-hidden", points=2),
        new_markdown_cell("## Question 4. Explain"),
        new_markdown_cell(
            "Noise moves out of the expectation.",
            metadata={"nbgrader": complete({"grade_id": "q4-explain", "solution": True, "points": 2})},
        ),
    ]


def cell_of(notebook, grade_id):
    return next(cell for cell in notebook.cells if grading(cell).get("grade_id") == grade_id)


def fill(notebook, **sources):
    """Answer questions, all of them right unless given otherwise."""
    for grade_id, source in (ANSWERS | sources).items():
        cell_of(notebook, grade_id).source = source
    return notebook


def dump(notebook) -> bytes:
    return json.dumps(notebook).encode()
