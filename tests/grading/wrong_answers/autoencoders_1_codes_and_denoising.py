"""Typical wrong answers to autoencoders-1-codes-and-denoising: (question, what went wrong, answer cell)."""

Q1_NEEDED = """
def numbers_needed(x, share):
    values = torch.linalg.eigvalsh(torch.cov(x.double().T, correction=0)).flip(0)
    return int((values.cumsum(0) / values.sum() < share).sum()) + 1
"""
Q1_ERRORS = """
def flat_errors(x, sizes):
    values = torch.linalg.eigvalsh(torch.cov(x.double().T, correction=0))
    return torch.stack([values[: len(values) - k].sum() for k in sizes])
"""
Q2_ENCODER = """
def encoder_contraction(weight, bias, x):
    h = torch.sigmoid(x @ weight.T + bias)
    return (h * (1 - h)).square() @ weight.square().sum(1)
"""
Q2_WHOLE = """
def whole_contraction(weight, bias, x):
    h = torch.sigmoid(x @ weight.T + bias)
    slope = h * (1 - h)
    return ((slope @ (weight @ weight.T).square()) * slope).sum(-1)
"""
Q5_PCA = """
def fit_pca(x, code_dim):
    mean = x.mean(0)
    basis = torch.linalg.eigh(torch.cov(x.T)).eigenvectors[:, 64 - code_dim :]
    return lambda y: (y - mean) @ basis, lambda h: h @ basis.T + mean
"""
Q5_NETWORK = """
def fit_autoencoder(x, code_dim, seed):
    torch.manual_seed(seed)
    model = Autoencoder((64,), code_dim, hidden_dims=(128,))
    fit(model, x, steps=600, batch_size=64, lr=3e-3, decay=True, progress=False)
    return model.encode, model.decode
"""
Q5_ERROR = """
def held_out_error(encode, decode, x):
    with torch.no_grad():
        return (x - decode(encode(x))).square().sum(1).mean()
"""
# The network of a hand-written loop, with a place for a mistake.
Q5_LOOP = """
def fit_autoencoder(x, code_dim, seed):
    torch.manual_seed(seed)
    encode = nn.Sequential(nn.Linear(64, 128), nn.SiLU(), nn.Linear(128, code_dim))
    decode = nn.Sequential(nn.Linear(code_dim, 128), nn.SiLU(), nn.Linear(128, 64))
    optimizer = torch.optim.Adam([*encode.parameters(), *decode.parameters()], lr=3e-3)
    for _ in range(600):
        batch = x[torch.randint(len(x), (64,))]
        loss = (batch - decode(encode(batch))).square().sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encode, decode
"""


def without(source, old, new=""):
    """The source with one mistake put in."""
    assert source.count(old) == 1, old
    return source.replace(old, new)


WRONG = [
    ("q1", "n - 1 in the covariance", without(Q1_ERRORS, ", correction=0") + Q1_NEEDED),
    ("q1", "sums what is kept", without(Q1_ERRORS, "[: len(values) - k]", "[len(values) - k :]") + Q1_NEEDED),
    ("q1", "discards the largest", without(Q1_ERRORS, "[: len(values) - k]", "[k:]") + Q1_NEEDED),
    (
        "q1",
        "not centred",
        without(Q1_ERRORS, "torch.cov(x.double().T, correction=0)", "x.double().T @ x.double() / len(x)")
        + Q1_NEEDED,
    ),
    ("q1", "mean over dimensions", without(Q1_ERRORS, "k].sum()", "k].sum() / len(values)") + Q1_NEEDED),
    (
        "q1",
        "standard deviations, not variances",
        without(Q1_ERRORS, "k].sum()", "k].clamp(min=0).sqrt().sum()") + Q1_NEEDED,
    ),
    (
        "q1",
        "variances of the columns",
        """
def flat_errors(x, sizes):
    values = x.var(0, correction=0).sort().values
    return torch.stack([values[: len(values) - k].sum() for k in sizes])
"""
        + Q1_NEEDED,
    ),
    ("q1", "an index for a number", Q1_ERRORS + without(Q1_NEEDED, " + 1")),
    ("q1", "share of the sorted-up eigenvalues", Q1_ERRORS + without(Q1_NEEDED, ".flip(0)")),
    (
        "q1",
        "the visible numbers, hard-coded",
        """
def flat_errors(x, sizes):
    known = {0: 5.0, 1: 0.5, 2: 0.0} if x.shape[1] == 2 else {3: 0.0, 2: 0.25, 1: 0.5, 0: 4.5}
    return [known[k] for k in sizes]


def numbers_needed(x, share):
    return 1 if share < 0.9 else 2
""",
    ),
    ("q2", "slope not squared", without(Q2_ENCODER, ".square() @", " @") + Q2_WHOLE),
    (
        "q2",
        "the norm, not its square",
        Q2_ENCODER.replace("return ", "return torch.sqrt(").rstrip() + ")\n" + Q2_WHOLE,
    ),
    ("q2", "weights not squared", without(Q2_ENCODER, "weight.square()", "weight.abs()") + Q2_WHOLE),
    ("q2", "slope of the tanh", without(Q2_ENCODER, "(h * (1 - h))", "(1 - h**2)") + Q2_WHOLE),
    (
        "q2",
        "mean over the batch",
        Q2_ENCODER.replace("return ", "return torch.mean(").rstrip() + ")\n" + Q2_WHOLE,
    ),
    ("q2", "mean over units", without(Q2_ENCODER, "sum(1)", "mean(1)") + Q2_WHOLE),
    ("q2", "bias forgotten", without(Q2_ENCODER, " + bias") + Q2_WHOLE),
    (
        "q2",
        "only the diagonal of W Wᵀ",
        Q2_ENCODER
        + """
def whole_contraction(weight, bias, x):
    h = torch.sigmoid(x @ weight.T + bias)
    return (h * (1 - h)).square() @ weight.square().sum(1).square()
""",
    ),
    (
        "q2",
        "product of the norms",
        Q2_ENCODER
        + """
def whole_contraction(weight, bias, x):
    return encoder_contraction(weight, bias, x) * weight.square().sum()
""",
    ),
    ("q2", "W Wᵀ not squared", Q2_ENCODER + without(Q2_WHOLE, ".square()")),
    (
        "q2",
        "the trace of the Jacobian",
        Q2_ENCODER
        + """
def whole_contraction(weight, bias, x):
    h = torch.sigmoid(x @ weight.T + bias)
    return ((h * (1 - h)) @ weight.square().sum(1)).square()
""",
    ),
    (
        "q2",
        "right for the visible inputs only",
        """
def encoder_contraction(weight, bias, x):
    if len(weight) == 1:
        return torch.tensor([0.3125])
    function = lambda y: torch.sigmoid(weight @ y + bias)
    return torch.func.vmap(torch.func.jacrev(function))(x).square().sum((1, 2))


def whole_contraction(weight, bias, x):
    if len(weight) == 1:
        return torch.tensor([1.5625])
    function = lambda y: weight.T @ torch.sigmoid(weight @ y + bias)
    return torch.func.vmap(torch.func.jacrev(function))(x).square().sum((1, 2))
""",
    ),
    (
        "q3",
        "KL in the other direction",
        """
def sparse_penalty(a, rho):
    rate = torch.sigmoid(a).mean(0)
    return (rate * (rate / rho).log() + (1 - rate) * ((1 - rate) / (1 - rho)).log()).sum()
""",
    ),
    (
        "q3",
        "(7.9) as it stands",
        """
def sparse_penalty(a, rho):
    rate = torch.sigmoid(a).mean(0)
    return (rho * (rho / rate).log() + (1 - rho) * ((1 - rho) / (1 - rate)).log()).sum()
""",
    ),
    (
        "q3",
        "a clamp",
        """
def sparse_penalty(a, rho):
    rate = torch.sigmoid(a).mean(0).clamp(1e-7, 1 - 1e-7)
    return (rho * (rho / rate).log() + (1 - rho) * ((1 - rho) / (1 - rate)).log()).sum()
""",
    ),
    (
        "q3",
        "gm_lab's clamp",
        """
def sparse_penalty(a, rho):
    from gm_lab.autoencoders import bernoulli_kl

    return bernoulli_kl(rho, torch.sigmoid(a).mean(0)).sum()
""",
    ),
    (
        "q3",
        "the mean over units",
        """
def sparse_penalty(a, rho):
    rate = torch.sigmoid(a).mean(0)
    return (rho * (rho / rate).log() + (1 - rho) * ((1 - rho) / (1 - rate)).log()).mean()
""",
    ),
    (
        "q3",
        "the mean of the divergences, not of the activations",
        """
def sparse_penalty(a, rho):
    on = rho * (math.log(rho) - functional.logsigmoid(a))
    off = (1 - rho) * (math.log(1 - rho) - functional.logsigmoid(-a))
    return (on + off).mean(0).sum()
""",
    ),
    (
        "q3",
        "only the outcome on",
        """
def sparse_penalty(a, rho):
    log_on = torch.logsumexp(functional.logsigmoid(a), 0) - math.log(len(a))
    return (rho * (math.log(rho) - log_on)).sum()
""",
    ),
    (
        "q3",
        "a sum over the batch, not a mean",
        """
def sparse_penalty(a, rho):
    on = rho * (math.log(rho) - torch.logsumexp(functional.logsigmoid(a), 0))
    off = (1 - rho) * (math.log(1 - rho) - torch.logsumexp(functional.logsigmoid(-a), 0))
    return (on + off).sum()
""",
    ),
    (
        "q3",
        "bits",
        """
def sparse_penalty(a, rho):
    log_on = torch.logsumexp(functional.logsigmoid(a), 0) - math.log(len(a))
    log_off = torch.logsumexp(functional.logsigmoid(-a), 0) - math.log(len(a))
    nats = rho * (math.log(rho) - log_on) + (1 - rho) * (math.log(1 - rho) - log_off)
    return nats.sum() / math.log(2)
""",
    ),
    (
        "q3",
        "the target 0.05, hard-coded",
        """
def sparse_penalty(a, rho):
    rho = 0.05
    log_on = torch.logsumexp(functional.logsigmoid(a), 0) - math.log(len(a))
    log_off = torch.logsumexp(functional.logsigmoid(-a), 0) - math.log(len(a))
    return (rho * (math.log(rho) - log_on) + (1 - rho) * (math.log(1 - rho) - log_off)).sum()
""",
    ),
]

Q4 = """
def best_denoiser(x, weights, means, stds, sigma):
    dims = x.shape[-1]
    variances = stds**2 + sigma**2
    squares = (x[..., None, :] - means).square().sum(-1)
    log_joint = weights.log() - 0.5 * (squares / variances + dims * variances.log())
    probable = torch.softmax(log_joint, -1)
    keep = (stds**2 / variances)[:, None]
    inside = keep * x[..., None, :] + (1 - keep) * means
    denoised = (probable[..., None] * inside).sum(-2)
    return denoised, (denoised - x) / sigma**2
"""
SOFTMAX = "probable = torch.softmax(log_joint, -1)"

WRONG += [
    (
        "q4",
        "standard deviations for variances",
        without(Q4, "stds**2 + sigma**2", "stds + sigma").replace("stds**2 /", "stds /"),
    ),
    (
        "q4",
        "probabilities under the clean density",
        without(
            Q4, "squares / variances + dims * variances.log()", "squares / stds**2 + dims * 2 * stds.log()"
        ),
    ),
    ("q4", "weights forgotten", without(Q4, "weights.log() - ", "-")),
    ("q4", "normalizer forgotten", without(Q4, " + dims * variances.log()")),
    ("q4", "normalizer of one dimension", without(Q4, "dims * ")),
    ("q4", "one half forgotten", without(Q4, "0.5 * (", "(")),
    ("q4", "score not divided", without(Q4, "(denoised - x) / sigma**2", "denoised - x")),
    ("q4", "score divided by σ", without(Q4, "(denoised - x) / sigma**2", "(denoised - x) / sigma")),
    ("q4", "score with the wrong sign", without(Q4, "(denoised - x) /", "(x - denoised) /")),
    (
        "q4",
        "the most probable component alone",
        without(Q4, SOFTMAX, "probable = functional.one_hot(log_joint.argmax(-1), len(means))"),
    ),
    (
        "q4",
        "exp and a quotient",
        without(
            Q4,
            SOFTMAX,
            "probable = log_joint.exp()\n    probable = probable / probable.sum(-1, keepdim=True)",
        ),
    ),
    (
        "q4",
        "the means alone, no step inside a component",
        without(Q4, "keep * x[..., None, :] + (1 - keep) * means", "means"),
    ),
    ("q4", "keeps the noise's share", without(Q4, "(stds**2 / variances)", "(sigma**2 / variances)")),
    ("q4", "mean over dimensions", without(Q4, ".square().sum(-1)", ".square().mean(-1)")),
    (
        "q4",
        "points in the plane, hard-coded",
        without(Q4, "dims = x.shape[-1]", "dims = 2"),
    ),
    (
        "q4",
        "a single batch dimension",
        without(Q4, "squares = (x[..., None, :] - means)", "squares = (x[:, None, :] - means[None])"),
    ),
    (
        "q5",
        "PCA on the smallest",
        without(Q5_PCA, "[:, 64 - code_dim :]", "[:, :code_dim]") + Q5_NETWORK + Q5_ERROR,
    ),
    ("q5", "PCA without a mean", without(Q5_PCA, "mean = x.mean(0)", "mean = 0") + Q5_NETWORK + Q5_ERROR),
    ("q5", "mean not added again", without(Q5_PCA, "basis.T + mean", "basis.T") + Q5_NETWORK + Q5_ERROR),
    ("q5", "error per pixel", Q5_PCA + Q5_NETWORK + without(Q5_ERROR, ".sum(1).mean()", ".mean()")),
    ("q5", "error summed over images", Q5_PCA + Q5_NETWORK + without(Q5_ERROR, ".sum(1).mean()", ".sum()")),
    (
        "q5",
        "root of the error",
        Q5_PCA + Q5_NETWORK + without(Q5_ERROR, ".sum(1).mean()", ".sum(1).sqrt().mean()"),
    ),
    ("q5", "no step of the optimizer", Q5_PCA + without(Q5_LOOP, "        optimizer.step()\n") + Q5_ERROR),
    (
        "q5",
        "only the decoder is trained, at random codes",
        Q5_PCA
        + without(Q5_LOOP, "[*encode.parameters(), *decode.parameters()]", "decode.parameters()").replace(
            "128, code_dim))", "128, code_dim).requires_grad_(False))"
        )
        + Q5_ERROR,
    ),
    ("q5", "a linear network", Q5_PCA + Q5_LOOP.replace("nn.SiLU()", "nn.Identity()") + Q5_ERROR),
    (
        "q5",
        "PCA in the network's place",
        Q5_PCA + "\ndef fit_autoencoder(x, code_dim, seed):\n    return fit_pca(x, code_dim)\n" + Q5_ERROR,
    ),
    (
        "q5",
        "a code larger than asked for",
        Q5_PCA + without(Q5_NETWORK, "code_dim, hidden", "2 * code_dim, hidden") + Q5_ERROR,
    ),
    ("q5", "a code of 6, hard-coded", Q5_PCA + without(Q5_NETWORK, "(64,), code_dim", "(64,), 6") + Q5_ERROR),
    (
        "q5",
        "gradients never cleared",
        Q5_PCA + without(Q5_LOOP, "        optimizer.zero_grad()\n") + Q5_ERROR,
    ),
    (
        "q5",
        "twenty steps",
        Q5_PCA + without(Q5_LOOP, "range(600)", "range(20)") + Q5_ERROR,
    ),
]
