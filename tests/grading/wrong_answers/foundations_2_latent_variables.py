"""Typical wrong answers to foundations-2-latent-variables: (question, what went wrong, source)."""


def em_from(means: str, log_vars: str, steps: int) -> str:
    """An answer to question 5 by EM with one start: where it begins, and how long it climbs."""
    return f"""
def held_out_curve(train, held_out, components):
    curve = []
    for k in components:
        weights, means, log_vars = torch.full((k,), 1 / k), {means}, {log_vars}
        for _ in range({steps}):
            squared = (train[:, None] - means) ** 2 / log_vars.exp()
            r = (weights.log() - 0.5 * (squared + log_vars).sum(-1)).softmax(-1)
            count = r.sum(0) + 1e-6
            weights, means = count / count.sum(), r.T @ train / count[:, None]
            squared = (train[:, None] - means) ** 2
            log_vars = ((r[..., None] * squared).sum(0) / count[:, None]).clamp(min=0.01).log()
        curve.append(likelihood.mixture_log_prob(held_out, weights, means, log_vars).mean())
    return torch.stack(curve)
"""


def scikit_learn(
    starts: str = "n_init=8", fitted: str = "train", measure: str = "fit.score(held_out.numpy())"
) -> str:
    """An answer to question 5 by scikit-learn's mixture: how it starts, what it is fitted to, what counts."""
    return f"""
def held_out_curve(train, held_out, components):
    from sklearn.mixture import GaussianMixture

    curve = []
    for k in components:
        fit = GaussianMixture(k, covariance_type="diag", random_state=0, {starts}).fit({fitted}.numpy())
        curve.append({measure})
    return torch.tensor(curve)
"""


WRONG = [
    (
        "q1",
        "0 log 0 is not a number",
        """
def evidence_bound_gap(prior, likelihoods, q):
    joint = prior * likelihoods
    elbo = (q * (joint / q).log()).sum()
    kl = (q * (q * joint.sum() / joint).log()).sum()
    return torch.stack([joint.sum().log(), elbo, kl])
""",
    ),
    (
        "q1",
        "the entropy of q is missing in the ELBO",
        """
def evidence_bound_gap(prior, likelihoods, q):
    joint = prior * likelihoods
    elbo = (q * joint.log()).sum()
    kl = (torch.xlogy(q, q) - torch.xlogy(q, joint / joint.sum())).sum()
    return torch.stack([joint.sum().log(), elbo, kl])
""",
    ),
    (
        "q1",
        "KL in the wrong direction",
        """
def evidence_bound_gap(prior, likelihoods, q):
    joint = prior * likelihoods
    posterior = joint / joint.sum()
    elbo = (torch.xlogy(q, joint) - torch.xlogy(q, q)).sum()
    kl = (torch.xlogy(posterior, posterior) - torch.xlogy(posterior, q)).sum()
    return torch.stack([joint.sum().log(), elbo, kl])
""",
    ),
    (
        "q1",
        "KL to the prior, not to the posterior",
        """
def evidence_bound_gap(prior, likelihoods, q):
    joint = prior * likelihoods
    elbo = (torch.xlogy(q, joint) - torch.xlogy(q, q)).sum()
    kl = (torch.xlogy(q, q) - torch.xlogy(q, prior)).sum()
    return torch.stack([joint.sum().log(), elbo, kl])
""",
    ),
    (
        "q1",
        "the evidence is a mean of logarithms",
        """
def evidence_bound_gap(prior, likelihoods, q):
    joint = prior * likelihoods
    elbo = (torch.xlogy(q, joint) - torch.xlogy(q, q)).sum()
    kl = (torch.xlogy(q, q) - torch.xlogy(q, joint / joint.sum())).sum()
    return torch.stack([(prior * likelihoods.log()).sum(), elbo, kl])
""",
    ),
    (
        "q1",
        "the prior is forgotten",
        """
def evidence_bound_gap(prior, likelihoods, q):
    joint = likelihoods
    elbo = (torch.xlogy(q, joint) - torch.xlogy(q, q)).sum()
    kl = (torch.xlogy(q, q) - torch.xlogy(q, joint / joint.sum())).sum()
    return torch.stack([joint.sum().log(), elbo, kl])
""",
    ),
    (
        "q1",
        "equal priors, as in the visible check",
        """
def evidence_bound_gap(prior, likelihoods, q):
    joint = likelihoods / len(likelihoods)
    elbo = (torch.xlogy(q, joint) - torch.xlogy(q, q)).sum()
    kl = (torch.xlogy(q, q) - torch.xlogy(q, joint / joint.sum())).sum()
    return torch.stack([joint.sum().log(), elbo, kl])
""",
    ),
    (
        "q2",
        "densities underflow",
        """
def mixture(x, weights, means, variances):
    squared = ((x[:, None] - means) ** 2).sum(-1)
    joint = weights * (-0.5 * squared / variances).exp() / (2 * math.pi * variances) ** (x.shape[1] / 2)
    return joint.sum(-1).log(), joint / joint.sum(-1, keepdim=True)
""",
    ),
    (
        "q2",
        "the normalization counts one dimension",
        """
def mixture(x, weights, means, variances):
    squared = ((x[:, None] - means) ** 2).sum(-1)
    log_normal = -0.5 * (torch.log(2 * math.pi * variances) + squared / variances)
    log_joint = weights.log() + log_normal
    return log_joint.logsumexp(-1), log_joint.softmax(-1)
""",
    ),
    (
        "q2",
        "variances taken for standard deviations",
        """
def mixture(x, weights, means, variances):
    log_normal = Normal(means, variances[:, None]).log_prob(x[:, None]).sum(-1)
    log_joint = weights.log() + log_normal
    return log_joint.logsumexp(-1), log_joint.softmax(-1)
""",
    ),
    (
        "q2",
        "responsibilities without the weights",
        """
def mixture(x, weights, means, variances):
    log_normal = Normal(means, variances.sqrt()[:, None]).log_prob(x[:, None]).sum(-1)
    return (weights.log() + log_normal).logsumexp(-1), log_normal.softmax(-1)
""",
    ),
    (
        "q2",
        "responsibilities that sum to one over the points",
        """
def mixture(x, weights, means, variances):
    log_normal = Normal(means, variances.sqrt()[:, None]).log_prob(x[:, None]).sum(-1)
    log_joint = weights.log() + log_normal
    return log_joint.logsumexp(-1), log_joint.softmax(0)
""",
    ),
    (
        "q2",
        "mean of the log-densities, not log of the mean density",
        """
def mixture(x, weights, means, variances):
    log_normal = Normal(means, variances.sqrt()[:, None]).log_prob(x[:, None]).sum(-1)
    return (weights * log_normal).sum(-1), (weights.log() + log_normal).softmax(-1)
""",
    ),
    (
        "q2",
        "a small number added to the weights, against log 0",
        """
def mixture(x, weights, means, variances):
    log_normal = Normal(means, variances.sqrt()[:, None]).log_prob(x[:, None]).sum(-1)
    log_joint = (weights + 0.001).log() + log_normal
    return log_joint.logsumexp(-1), log_joint.softmax(-1)
""",
    ),
    (
        "q2",
        "two components at most",
        """
def mixture(x, weights, means, variances):
    weights, means, variances = weights[:2], means[:2], variances[:2]
    log_normal = Normal(means, variances.sqrt()[:, None]).log_prob(x[:, None]).sum(-1)
    log_joint = weights.log() + log_normal
    return log_joint.logsumexp(-1), log_joint.softmax(-1)
""",
    ),
    (
        "q3",
        "variance around the old mean",
        """
def em_step(x, weights, means, variances):
    dims = x.shape[1]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    r = (weights.log() - 0.5 * (dims * variances.log() + squared / variances)).softmax(-1)
    count = r.sum(0)
    return count / len(x), r.T @ x / count[:, None], (r * squared).sum(0) / (dims * count)
""",
    ),
    (
        "q3",
        "variance summed over the dimensions",
        """
def em_step(x, weights, means, variances):
    dims = x.shape[1]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    r = (weights.log() - 0.5 * (dims * variances.log() + squared / variances)).softmax(-1)
    count = r.sum(0)
    means = r.T @ x / count[:, None]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    return count / len(x), means, (r * squared).sum(0) / count
""",
    ),
    (
        "q3",
        "standard deviation for variance",
        """
def em_step(x, weights, means, variances):
    dims = x.shape[1]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    r = (weights.log() - 0.5 * (dims * variances.log() + squared / variances)).softmax(-1)
    count = r.sum(0)
    means = r.T @ x / count[:, None]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    return count / len(x), means, ((r * squared).sum(0) / (dims * count)).sqrt()
""",
    ),
    (
        "q3",
        "divides by n and not by the count of the component",
        """
def em_step(x, weights, means, variances):
    dims = x.shape[1]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    r = (weights.log() - 0.5 * (dims * variances.log() + squared / variances)).softmax(-1)
    means = r.T @ x / len(x)
    squared = ((x[:, None] - means) ** 2).sum(-1)
    return r.mean(0), means, (r * squared).mean(0) / dims
""",
    ),
    (
        "q3",
        "each point goes to its nearest mean, all or nothing",
        """
def em_step(x, weights, means, variances):
    dims = x.shape[1]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    nearest = squared.argmin(-1)
    r = (nearest[:, None] == torch.arange(len(means))).to(x.dtype)
    count = r.sum(0)
    means = r.T @ x / count[:, None]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    return count / len(x), means, (r * squared).sum(0) / (dims * count)
""",
    ),
    (
        "q3",
        "the weights take no part in the E step",
        """
def em_step(x, weights, means, variances):
    dims = x.shape[1]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    r = (-0.5 * (dims * variances.log() + squared / variances)).softmax(-1)
    count = r.sum(0)
    means = r.T @ x / count[:, None]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    return count / len(x), means, (r * squared).sum(0) / (dims * count)
""",
    ),
    (
        "q3",
        "the normalization of the Gaussians takes no part in the E step",
        """
def em_step(x, weights, means, variances):
    dims = x.shape[1]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    r = (weights.log() - 0.5 * squared / variances).softmax(-1)
    count = r.sum(0)
    means = r.T @ x / count[:, None]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    return count / len(x), means, (r * squared).sum(0) / (dims * count)
""",
    ),
    (
        "q3",
        "densities underflow far from both means, and a small number hides it",
        """
def em_step(x, weights, means, variances):
    dims = x.shape[1]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    joint = weights * (-0.5 * squared / variances).exp() / variances ** (dims / 2) + 1e-12
    r = joint / joint.sum(-1, keepdim=True)
    count = r.sum(0)
    means = r.T @ x / count[:, None]
    squared = ((x[:, None] - means) ** 2).sum(-1)
    return count / len(x), means, (r * squared).sum(0) / (dims * count)
""",
    ),
    (
        "q4",
        "mean of the logarithms: the ELBO",
        """
def importance_estimate(x, z, q_mean, q_std):
    log_decoder = x * z - z.exp() - torch.lgamma(x + 1)
    log_weights = Normal(0.0, 1.0).log_prob(z) + log_decoder - Normal(q_mean, q_std).log_prob(z)
    return log_weights.mean(0), likelihood.effective_sample_size(log_weights)
""",
    ),
    (
        "q4",
        "sum for mean",
        """
def importance_estimate(x, z, q_mean, q_std):
    log_decoder = x * z - z.exp() - torch.lgamma(x + 1)
    log_weights = Normal(0.0, 1.0).log_prob(z) + log_decoder - Normal(q_mean, q_std).log_prob(z)
    return log_weights.logsumexp(0), likelihood.effective_sample_size(log_weights)
""",
    ),
    (
        "q4",
        "the density of the proposal is missing",
        """
def importance_estimate(x, z, q_mean, q_std):
    log_weights = Normal(0.0, 1.0).log_prob(z) + x * z - z.exp() - torch.lgamma(x + 1)
    return likelihood.log_mean_exp(log_weights), likelihood.effective_sample_size(log_weights)
""",
    ),
    (
        "q4",
        "the prior is missing",
        """
def importance_estimate(x, z, q_mean, q_std):
    log_weights = x * z - z.exp() - torch.lgamma(x + 1) - Normal(q_mean, q_std).log_prob(z)
    return likelihood.log_mean_exp(log_weights), likelihood.effective_sample_size(log_weights)
""",
    ),
    (
        "q4",
        "log x! is missing",
        """
def importance_estimate(x, z, q_mean, q_std):
    log_weights = Normal(0.0, 1.0).log_prob(z) + x * z - z.exp() - Normal(q_mean, q_std).log_prob(z)
    return likelihood.log_mean_exp(log_weights), likelihood.effective_sample_size(log_weights)
""",
    ),
    (
        "q4",
        "standard deviation taken for a variance",
        """
def importance_estimate(x, z, q_mean, q_std):
    log_decoder = x * z - z.exp() - torch.lgamma(x + 1)
    log_q = Normal(q_mean, q_std.sqrt()).log_prob(z)
    log_weights = Normal(0.0, 1.0).log_prob(z) + log_decoder - log_q
    return likelihood.log_mean_exp(log_weights), likelihood.effective_sample_size(log_weights)
""",
    ),
    (
        "q4",
        "weights underflow",
        """
def importance_estimate(x, z, q_mean, q_std):
    log_decoder = x * z - z.exp() - torch.lgamma(x + 1)
    log_weights = Normal(0.0, 1.0).log_prob(z) + log_decoder - Normal(q_mean, q_std).log_prob(z)
    w = log_weights.exp()
    return w.mean(0).log(), w.sum(0) ** 2 / (w**2).sum(0)
""",
    ),
    (
        "q4",
        "sample size of the logarithms, right for equal weights only",
        """
def importance_estimate(x, z, q_mean, q_std):
    log_decoder = x * z - z.exp() - torch.lgamma(x + 1)
    log_weights = Normal(0.0, 1.0).log_prob(z) + log_decoder - Normal(q_mean, q_std).log_prob(z)
    size = log_weights.sum(0) ** 2 / (log_weights**2).sum(0)
    return likelihood.log_mean_exp(log_weights), size
""",
    ),
    (
        "q5",
        "the likelihood of the training data",
        scikit_learn(measure="fit.score(train.numpy())"),
    ),
    (
        "q5",
        "sum over the examples",
        scikit_learn(measure="fit.score(held_out.numpy()) * len(held_out)"),
    ),
    (
        "q5",
        "fitted to the held-out data",
        scikit_learn(fitted="held_out"),
    ),
    (
        "q5",
        "all means begin at the mean of the data and never part",
        em_from("train.mean(0).expand(k, 2)", "torch.zeros(k, 2)", steps=50),
    ),
    (
        "q5",
        "a single start, at the first points",
        em_from("train[:k]", "train.var(0, correction=0).log().expand(k, 2)", steps=60),
    ),
    (
        "q5",
        "a single random start of another library",
        scikit_learn('init_params="random_from_data", reg_covar=0.01'),
    ),
    (
        "q5",
        "one step only",
        em_from("train[:k]", "torch.zeros(k, 2)", steps=1),
    ),
    (
        "q5",
        "the density of the visible ring, typed in",
        """
def held_out_curve(train, held_out, components):
    truth = data.toy2d.ring(modes=4, std=0.5).log_prob(held_out).mean()
    one = Normal(train.mean(0), train.std(0, correction=0)).log_prob(held_out).sum(-1).mean()
    return torch.stack([one if k == 1 else truth for k in components])
""",
    ),
]
