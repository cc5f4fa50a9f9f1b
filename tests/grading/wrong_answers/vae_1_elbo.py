"""Typical wrong answers to vae-1-elbo: (question, what went wrong, source of the answer cell)."""

Q1 = """
def tiny_bound(x, prior, on, q):
    log_likelihood = (x * on.log() + (1 - x) * (1 - on).log()).sum(-1)
    log_joint = prior.log() + log_likelihood
    log_evidence = torch.logsumexp(log_joint, 0)
    posterior = torch.softmax(log_joint, 0)
    reconstruction = (q * log_likelihood).sum()
    kl = (torch.xlogy(q, q) - torch.xlogy(q, prior)).sum()
    gap = (torch.xlogy(q, q) - torch.xlogy(q, posterior)).sum()
    elbo = reconstruction - kl
    return dict(log_evidence=log_evidence, reconstruction=reconstruction, kl=kl, elbo=elbo, gap=gap)
"""
Q2_KL = """
def kl_to_prior(mean, log_var):
    return 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(-1)
"""
Q2_LIKELIHOOD = """
def log_likelihood(x, logits):
    return (x * functional.logsigmoid(logits) + (1 - x) * functional.logsigmoid(-logits)).sum(-1)
"""
Q3 = """
def elbo(x, mean, log_var, noise, decode):
    z = mean + (0.5 * log_var).exp() * noise
    log_px = probability.bernoulli_log_prob(x, decode(z))
    return log_px.mean(0) - probability.gaussian_kl(mean, log_var)
"""
Q4_WEIGHTS = """
def log_weights(x, mean, log_var, z, logits):
    log_px = probability.bernoulli_log_prob(x, logits)
    log_pz = probability.gaussian_log_prob(z, 0.0, 0.0)
    log_qz = probability.gaussian_log_prob(z, mean, log_var)
    return log_px + log_pz - log_qz
"""
Q4_BOUNDS = """
def bounds(log_w, sizes):
    rows = []
    for k in sizes:
        groups = log_w.unflatten(0, (-1, k))
        rows.append((torch.logsumexp(groups, 1) - math.log(k)).mean(0))
    return torch.stack(rows)
"""
Q5_PIXELS = """
def independent_pixels(train, test):
    share = (train.sum(0) + 1) / (len(train) + 2)
    return probability.bernoulli_log_prob(test, share.logit()).mean()
"""
Q5_VAE = """
def train_vae(x, latent_dim, seed):
    torch.manual_seed(seed)
    encoder = nn.Sequential(nn.Linear(64, 128), nn.SiLU(), nn.Linear(128, 2 * latent_dim))
    decode = nn.Sequential(nn.Linear(latent_dim, 128), nn.SiLU(), nn.Linear(128, 64))
    encode = lambda x: encoder(x).chunk(2, -1)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decode.parameters()], lr=3e-3)
    for _ in range(600):
        batch = x[torch.randint(len(x), (64,))]
        mean, log_var = encode(batch)
        z = mean + (0.5 * log_var).exp() * torch.randn_like(mean)
        log_px = probability.bernoulli_log_prob(batch, decode(z))
        kl = probability.gaussian_kl(mean, log_var)
        loss = (kl - log_px).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encode, decode
"""
Q5_MEASURE = """
def held_out(encode, decode, x, n_samples):
    with torch.no_grad():
        mean, log_var = encode(x)
        z = mean + (0.5 * log_var).exp() * torch.randn(n_samples, *mean.shape)
        log_px = probability.bernoulli_log_prob(x, decode(z))
        log_w = log_px + probability.gaussian_log_prob(z, 0.0, 0.0)
        log_w = log_w - probability.gaussian_log_prob(z, mean, log_var)
        elbo = log_px.mean(0) - probability.gaussian_kl(mean, log_var)
        bound = likelihood.log_mean_exp(log_w, 0)
        return torch.stack([elbo.mean(), bound.mean()])
"""
UNTRAINED = Q5_VAE.replace("range(600)", "range(1)")  # quick, where another part is wrong


def without(source, old, new=""):
    """The source with one mistake put in."""
    assert source.count(old) == 1, old
    return source.replace(old, new)


WRONG = [
    ("q1", "lamps that are off are left out", without(Q1, " + (1 - x) * (1 - on).log()")),
    ("q1", "prior forgotten in the evidence", without(Q1, "prior.log() + log_likelihood", "log_likelihood")),
    (
        "q1",
        "evidence under q",
        without(Q1, "torch.logsumexp(log_joint, 0)", "(q * log_likelihood.exp()).sum().log()"),
    ),
    (
        "q1",
        "the logarithm of an expectation",
        without(Q1, "(q * log_likelihood).sum()", "(q * log_likelihood.exp()).sum().log()"),
    ),
    (
        "q1",
        "KL in the other direction",
        without(
            Q1,
            "torch.xlogy(q, q) - torch.xlogy(q, prior)",
            "torch.xlogy(prior, prior) - torch.xlogy(prior, q)",
        ),
    ),
    (
        "q1",
        "gap in the other direction",
        without(
            Q1,
            "torch.xlogy(q, q) - torch.xlogy(q, posterior)",
            "torch.xlogy(posterior, posterior) - torch.xlogy(posterior, q)",
        ),
    ),
    ("q1", "KL added", without(Q1, "reconstruction - kl", "reconstruction + kl")),
    ("q1", "0 log 0 is no number", Q1.replace("torch.xlogy(q, q)", "q * q.log()")),
    (
        "q1",
        "bits",
        Q1.replace("return dict(", "return dict((k, v / math.log(2)) for k, v in dict(").rstrip()
        + ".items())\n",
    ),
    ("q1", "mean over lamps", without(Q1, ".log()).sum(-1)", ".log()).mean(-1)")),
    (
        "q1",
        "an even prior, hard-coded",
        without(
            Q1,
            "log_joint = prior.log()",
            "prior = torch.full_like(prior, 1 / len(prior))\n    log_joint = prior.log()",
        ),
    ),
    ("q2", "one half forgotten", without(Q2_KL, "0.5 * ") + Q2_LIKELIHOOD),
    (
        "q2",
        "log_var read as a standard deviation",
        without(Q2_KL, "log_var.exp() - 1 - log_var", "log_var**2 - 1 - 2 * log_var.abs().log()")
        + Q2_LIKELIHOOD,
    ),
    ("q2", "σ for σ²", without(Q2_KL, "log_var.exp()", "(0.5 * log_var).exp()") + Q2_LIKELIHOOD),
    ("q2", "mean over latents", without(Q2_KL, ".sum(-1)", ".mean(-1)") + Q2_LIKELIHOOD),
    (
        "q2",
        "KL in the other direction",
        without(
            Q2_KL,
            "(mean**2 + log_var.exp() - 1 - log_var)",
            "((1 + mean**2) * (-log_var).exp() - 1 + log_var)",
        )
        + Q2_LIKELIHOOD,
    ),
    ("q2", "the sign of the KL", without(Q2_KL, "0.5", "-0.5") + Q2_LIKELIHOOD),
    ("q2", "sum over the batch, too", without(Q2_KL, ".sum(-1)", ".sum()") + Q2_LIKELIHOOD),
    (
        "q2",
        "a clamped log-variance",
        without(Q2_KL, "return", "log_var = log_var.clamp(-6, 6)\n    return") + Q2_LIKELIHOOD,
    ),
    (
        "q2",
        "sigmoid, then log",
        Q2_KL
        + """
def log_likelihood(x, logits):
    p = torch.sigmoid(logits)
    return (x * p.log() + (1 - x) * (1 - p).log()).sum(-1)
""",
    ),
    (
        "q2",
        "sigmoid, clamp, then log",
        Q2_KL
        + """
def log_likelihood(x, logits):
    p = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
    return (x * p.log() + (1 - x) * (1 - p).log()).sum(-1)
""",
    ),
    (
        "q2",
        "a loss, not a log-probability",
        Q2_KL + without(Q2_LIKELIHOOD, "return (", "return -("),
    ),
    ("q2", "mean over pixels", Q2_KL + without(Q2_LIKELIHOOD, ".sum(-1)", ".mean(-1)")),
    (
        "q2",
        "pixels that are zero are left out",
        Q2_KL + without(Q2_LIKELIHOOD, " + (1 - x) * functional.logsigmoid(-logits)"),
    ),
    (
        "q2",
        "a squared error",
        Q2_KL
        + """
def log_likelihood(x, logits):
    return -(x - torch.sigmoid(logits)).square().sum(-1)
""",
    ),
    ("q3", "σ² for σ", without(Q3, "0.5 * log_var", "log_var")),
    ("q3", "log_var for σ", without(Q3, "(0.5 * log_var).exp()", "log_var")),
    ("q3", "noise not scaled", without(Q3, "(0.5 * log_var).exp() * noise", "noise")),
    ("q3", "KL added", without(Q3, " - probability.gaussian_kl", " + probability.gaussian_kl")),
    ("q3", "KL forgotten", without(Q3, " - probability.gaussian_kl(mean, log_var)")),
    ("q3", "sum over draws", without(Q3, "log_px.mean(0)", "log_px.sum(0)")),
    (
        "q3",
        "logarithm of the mean likelihood",
        without(Q3, "log_px.mean(0)", "likelihood.log_mean_exp(log_px)"),
    ),
    ("q3", "decodes the mean of the draws", without(Q3, "* noise", "* noise.mean(0, keepdim=True)")),
    ("q3", "noise of its own", without(Q3, "* noise", "* torch.randn_like(noise)")),
    ("q3", "no noise: decodes the mean of q", without(Q3, "* noise", "* 0 * noise")),
    (
        "q3",
        "mean over the batch",
        without(Q3, "log_var)\n", "log_var).mean()\n").replace(
            "return log_px.mean(0)", "return log_px.mean()"
        ),
    ),
    ("q3", "mean over pixels", without(Q3, "decode(z))", "decode(z)) / x.shape[-1]")),
    ("q3", "z detached", without(Q3, "decode(z)", "decode(z.detach())")),
    ("q3", "KL detached", without(Q3, "gaussian_kl(mean, log_var)", "gaussian_kl(mean, log_var).detach()")),
    ("q3", "σ detached", without(Q3, "(0.5 * log_var).exp()", "(0.5 * log_var).exp().detach()")),
    ("q3", "one image only", without(Q3, "log_px.mean(0)", "log_px.mean()")),
    ("q3", "the first two draws", without(Q3, "log_px.mean(0)", "log_px[:2].mean(0)")),
    ("q4", "prior forgotten", without(Q4_WEIGHTS, "log_px + log_pz", "log_px") + Q4_BOUNDS),
    ("q4", "q forgotten", without(Q4_WEIGHTS, " - log_qz") + Q4_BOUNDS),
    ("q4", "q added", without(Q4_WEIGHTS, "- log_qz", "+ log_qz") + Q4_BOUNDS),
    (
        "q4",
        "the closed KL in the weights",
        without(Q4_WEIGHTS, "log_pz - log_qz", "0 * log_pz - probability.gaussian_kl(mean, log_var)")
        + Q4_BOUNDS,
    ),
    ("q4", "σ for σ² in q", without(Q4_WEIGHTS, "mean, log_var)\n", "mean, 0.5 * log_var)\n") + Q4_BOUNDS),
    (
        "q4",
        "mean over latents",
        without(Q4_WEIGHTS, "log_pz - log_qz", "(log_pz - log_qz) / z.shape[-1]") + Q4_BOUNDS,
    ),
    (
        "q4",
        "weights, not log-weights",
        without(Q4_WEIGHTS, "log_px + log_pz - log_qz", "(log_px + log_pz - log_qz).exp()") + Q4_BOUNDS,
    ),
    (
        "q4",
        "mean of the logarithms",
        Q4_WEIGHTS + without(Q4_BOUNDS, "(torch.logsumexp(groups, 1) - math.log(k))", "groups.mean(1)"),
    ),
    ("q4", "log k forgotten", Q4_WEIGHTS + without(Q4_BOUNDS, " - math.log(k)")),
    ("q4", "log k of the wrong k", Q4_WEIGHTS + without(Q4_BOUNDS, "math.log(k)", "math.log(len(log_w))")),
    (
        "q4",
        "exp, mean, log",
        Q4_WEIGHTS
        + without(Q4_BOUNDS, "(torch.logsumexp(groups, 1) - math.log(k))", "groups.exp().mean(1).log()"),
    ),
    (
        "q4",
        "the first k draws alone",
        Q4_WEIGHTS + without(Q4_BOUNDS, "log_w.unflatten(0, (-1, k))", "log_w[None, :k]"),
    ),
    ("q4", "groups across", Q4_WEIGHTS + without(Q4_BOUNDS, "(-1, k))", "(k, -1)).transpose(0, 1)")),
    (
        "q4",
        "the largest weight",
        Q4_WEIGHTS + without(Q4_BOUNDS, "(torch.logsumexp(groups, 1) - math.log(k))", "groups.amax(1)"),
    ),
    (
        "q4",
        "mean over the batch",
        Q4_WEIGHTS + without(Q4_BOUNDS, ".mean(0))", ".mean(0).mean(0, keepdim=True))"),
    ),
    (
        "q4",
        "one shift for all images",
        Q4_WEIGHTS
        + without(
            Q4_BOUNDS,
            "(torch.logsumexp(groups, 1) - math.log(k))",
            "((groups - log_w.mean()).exp().mean(1).log() + log_w.mean())",
        ),
    ),
    (
        "q5",
        "no smoothing",
        without(Q5_PIXELS, "(train.sum(0) + 1) / (len(train) + 2)", "train.mean(0)") + UNTRAINED + Q5_MEASURE,
    ),
    ("q5", "probabilities for logits", without(Q5_PIXELS, "share.logit()", "share") + UNTRAINED + Q5_MEASURE),
    (
        "q5",
        "mean over pixels of the baseline",
        without(Q5_PIXELS, ".mean()", ".mean() / test.shape[1]") + UNTRAINED + Q5_MEASURE,
    ),
    (
        "q5",
        "both numbers the bound",
        Q5_PIXELS + UNTRAINED + without(Q5_MEASURE, "elbo.mean()", "bound.mean()"),
    ),
    (
        "q5",
        "mean of the log-weights for the bound",
        Q5_PIXELS + UNTRAINED + without(Q5_MEASURE, "likelihood.log_mean_exp(log_w, 0)", "log_w.mean(0)"),
    ),
    (
        "q5",
        "sum over images",
        Q5_PIXELS
        + UNTRAINED
        + without(Q5_MEASURE, "[elbo.mean(), bound.mean()]", "[elbo.sum(), bound.sum()]"),
    ),
    (
        "q5",
        "reconstruction for the ELBO",
        Q5_PIXELS + UNTRAINED + without(Q5_MEASURE, " - probability.gaussian_kl(mean, log_var)"),
    ),
    (
        "q5",
        "q forgotten in the weights",
        Q5_PIXELS
        + UNTRAINED
        + without(Q5_MEASURE, "log_w - probability.gaussian_log_prob(z, mean, log_var)", "log_w * 1"),
    ),
    (
        "q5",
        "draws from the prior, weighted as if from q",
        Q5_PIXELS
        + UNTRAINED
        + without(Q5_MEASURE, "mean + (0.5 * log_var).exp() * torch", "0 * mean + torch"),
    ),
    (
        "q5",
        "mean over pixels: the latents stay empty",
        Q5_PIXELS + without(Q5_VAE, "kl - log_px", "kl - log_px / 64") + Q5_MEASURE,
    ),
    ("q5", "no KL", Q5_PIXELS + without(Q5_VAE, "kl - log_px", "-log_px") + Q5_MEASURE),
    ("q5", "no sampling", Q5_PIXELS + without(Q5_VAE, "* torch.randn_like(mean)", "* 0") + Q5_MEASURE),
    (
        "q5",
        "log-variance taken for σ in training",
        Q5_PIXELS + without(Q5_VAE, "(0.5 * log_var).exp()", "log_var") + Q5_MEASURE,
    ),
    ("q5", "no step", Q5_PIXELS + without(Q5_VAE, "        optimizer.step()\n") + Q5_MEASURE),
    (
        "q5",
        "encoder not trained",
        Q5_PIXELS
        + without(Q5_VAE, "[*encoder.parameters(), *decode.parameters()]", "decode.parameters()")
        + Q5_MEASURE,
    ),
    (
        "q5",
        "decode returns probabilities",
        Q5_PIXELS
        + without(Q5_VAE, "return encode, decode", "return encode, lambda z: decode(z).sigmoid()")
        + Q5_MEASURE,
    ),
    (
        "q5",
        "ELBO with the wrong sign",
        Q5_PIXELS
        + without(Q5_VAE, "range(600)", "range(60)").replace("kl - log_px", "log_px - kl")
        + Q5_MEASURE,
    ),
    (
        "q5",
        "two latents, hard-coded",
        Q5_PIXELS + without(Q5_VAE, "torch.manual_seed(seed)", "latent_dim = 2") + Q5_MEASURE,
    ),
    (
        "q5",
        "six latents, hard-coded",
        Q5_PIXELS + without(Q5_VAE, "torch.manual_seed(seed)", "latent_dim = 6") + Q5_MEASURE,
    ),
]
