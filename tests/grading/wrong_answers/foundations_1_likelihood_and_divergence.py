"""Typical wrong answers to foundations-1-likelihood-and-divergence: (question, what went wrong, source)."""

WRONG = [
    (
        "q1",
        "nats for bits",
        """
def file_length(sequence, belief):
    n = len(sequence)
    total = -belief[sequence].log().sum()
    shares = torch.bincount(sequence, minlength=len(belief)) / n
    least = -torch.xlogy(shares, shares).sum()
    return torch.stack([total, total / n, least])
""",
    ),
    (
        "q1",
        "entropy of the belief, not of the shares",
        """
def file_length(sequence, belief):
    total = -belief[sequence].log2().sum()
    least = -torch.xlogy(belief, belief).sum() / math.log(2)
    return torch.stack([total, total / len(sequence), least])
""",
    ),
    (
        "q1",
        "0 log 0 is not a number",
        """
def file_length(sequence, belief):
    n = len(sequence)
    shares = torch.bincount(sequence, minlength=len(belief)) / n
    total = -(shares * n * belief.log2()).sum()
    return torch.stack([total, total / n, -(shares * shares.log2()).sum()])
""",
    ),
    (
        "q1",
        "the logarithm of the mean probability",
        """
def file_length(sequence, belief):
    n = len(sequence)
    shares = torch.bincount(sequence, minlength=len(belief)) / n
    mean = -belief[sequence].mean().log2()
    return torch.stack([n * mean, mean, -torch.xlogy(shares, shares).sum() / math.log(2)])
""",
    ),
    (
        "q1",
        "the visible numbers, typed in",
        """
def file_length(sequence, belief):
    if sequence[0] == 3:
        return torch.tensor([math.inf, math.inf, 0.0])
    return torch.tensor([6.0, 1.5, 1.5]) if belief[0] > 0.3 else torch.tensor([8.0, 2.0, 1.5])
""",
    ),
    (
        "q1",
        "four symbols, however many there are",
        """
def file_length(sequence, belief):
    n = len(sequence)
    total = -belief[sequence].log2().sum()
    shares = torch.stack([(sequence == k).sum() for k in range(4)]) / n
    least = -torch.xlogy(shares, shares).sum() / math.log(2)
    return torch.stack([total, total / n, least])
""",
    ),
    (
        "q2",
        "standard deviations taken for variances",
        """
def log_density(x, mean, std):
    return -0.5 * (math.log(2 * math.pi) + std.log() + (x - mean) ** 2 / std).sum(-1)


def zero_unit(x, mean, std):
    return (log_density(x, mean, std) / x.shape[-1]).exp()
""",
    ),
    (
        "q2",
        "the half is missing in the last term",
        """
def log_density(x, mean, std):
    return (-0.5 * math.log(2 * math.pi) - std.log() - ((x - mean) / std) ** 2).sum(-1)


def zero_unit(x, mean, std):
    return (log_density(x, mean, std) / x.shape[-1]).exp()
""",
    ),
    (
        "q2",
        "log 2 pi counted once and not in every dimension",
        """
def log_density(x, mean, std):
    return -0.5 * math.log(2 * math.pi) - (std.log() + 0.5 * ((x - mean) / std) ** 2).sum(-1)


def zero_unit(x, mean, std):
    return (log_density(x, mean, std) / x.shape[-1]).exp()
""",
    ),
    (
        "q2",
        "mean over the dimensions",
        """
def log_density(x, mean, std):
    return torch.distributions.Normal(mean, std).log_prob(x).mean(-1)


def zero_unit(x, mean, std):
    return log_density(x, mean, std).exp()
""",
    ),
    (
        "q2",
        "sum over everything, the batch as well",
        """
def log_density(x, mean, std):
    return torch.distributions.Normal(mean, std).log_prob(x).sum()


def zero_unit(x, mean, std):
    return (log_density(x, mean, std) / x.shape[-1]).exp()
""",
    ),
    (
        "q2",
        "the unit goes the wrong way",
        """
def log_density(x, mean, std):
    return torch.distributions.Normal(mean, std).log_prob(x).sum(-1)


def zero_unit(x, mean, std):
    return (-log_density(x, mean, std) / x.shape[-1]).exp()
""",
    ),
    (
        "q2",
        "all dimensions pay for the unit together, not each",
        """
def log_density(x, mean, std):
    return torch.distributions.Normal(mean, std).log_prob(x).sum(-1)


def zero_unit(x, mean, std):
    return log_density(x, mean, std).exp()
""",
    ),
    (
        "q2",
        "two dimensions and a point near the mean, as in the visible check",
        """
def log_density(x, mean, std):
    return torch.distributions.Normal(mean, std).log_prob(x).sum(-1)


def zero_unit(x, mean, std):
    return (2 * math.pi * std**2).prod() ** (-0.5 / len(std))
""",
    ),
    (
        "q3",
        "not normalized",
        """
def both_divergences(counts_p, counts_q):
    p, q = counts_p.double(), counts_q.double()
    forward = torch.xlogy(p, p) - torch.xlogy(p, q)
    reverse = torch.xlogy(q, q) - torch.xlogy(q, p)
    return torch.stack([forward.sum(-1), reverse.sum(-1)], -1)
""",
    ),
    (
        "q3",
        "directions swapped",
        """
def both_divergences(counts_p, counts_q):
    q = counts_p / counts_p.sum(-1, keepdim=True)
    p = counts_q / counts_q.sum(-1, keepdim=True)
    forward = torch.xlogy(p, p) - torch.xlogy(p, q)
    reverse = torch.xlogy(q, q) - torch.xlogy(q, p)
    return torch.stack([forward.sum(-1), reverse.sum(-1)], -1)
""",
    ),
    (
        "q3",
        "0 log 0 is not a number",
        """
def both_divergences(counts_p, counts_q):
    p = counts_p / counts_p.sum(-1, keepdim=True)
    q = counts_q / counts_q.sum(-1, keepdim=True)
    return torch.stack([(p * (p / q).log()).sum(-1), (q * (q / p).log()).sum(-1)], -1)
""",
    ),
    (
        "q3",
        "a small number added hides the infinity",
        """
def both_divergences(counts_p, counts_q):
    p = counts_p / counts_p.sum(-1, keepdim=True) + 1e-9
    q = counts_q / counts_q.sum(-1, keepdim=True) + 1e-9
    return torch.stack([(p * (p / q).log()).sum(-1), (q * (q / p).log()).sum(-1)], -1)
""",
    ),
    (
        "q3",
        "nan_to_num turns what is infinite into zero",
        """
def both_divergences(counts_p, counts_q):
    p = counts_p / counts_p.sum(-1, keepdim=True)
    q = counts_q / counts_q.sum(-1, keepdim=True)
    terms = [p * (p / q).log(), q * (q / p).log()]
    return torch.stack([t.nan_to_num(0.0, 0.0, 0.0).sum(-1) for t in terms], -1)
""",
    ),
    (
        "q3",
        "in bits",
        """
def both_divergences(counts_p, counts_q):
    p = counts_p / counts_p.sum(-1, keepdim=True)
    q = counts_q / counts_q.sum(-1, keepdim=True)
    forward = torch.xlogy(p, p) - torch.xlogy(p, q)
    reverse = torch.xlogy(q, q) - torch.xlogy(q, p)
    return torch.stack([forward.sum(-1), reverse.sum(-1)], -1) / math.log(2)
""",
    ),
    (
        "q3",
        "one leading dimension at most",
        """
def both_divergences(counts_p, counts_q):
    if counts_p.dim() > 2:
        counts_p, counts_q = counts_p[0], counts_q[0]
    p = counts_p / counts_p.sum(-1, keepdim=True)
    q = counts_q / counts_q.sum(-1, keepdim=True)
    forward = torch.xlogy(p, p) - torch.xlogy(p, q)
    reverse = torch.xlogy(q, q) - torch.xlogy(q, p)
    return torch.stack([forward.sum(-1), reverse.sum(-1)], -1)
""",
    ),
    (
        "q4",
        "mean of the rows of the table, not of the observations",
        """
def fit_poisson(values, tally):
    rate = values.mean()
    return torch.stack([rate, (torch.xlogy(values, rate) - rate - torch.lgamma(values + 1)).mean()])


def fit_geometric(values, tally):
    theta = 1 / (1 + values.mean())
    return torch.stack([theta, theta.log() + torch.xlogy(values.mean(), 1 - theta)])


def fit_gaussian(values, tally):
    return torch.stack([values.mean(), values.var(correction=0)])
""",
    ),
    (
        "q4",
        "log k! is missing",
        """
def fit_poisson(values, tally):
    rate = (tally * values).sum() / tally.sum()
    return torch.stack([rate, torch.xlogy(rate, rate) - rate])


def fit_geometric(values, tally):
    mean = (tally * values).sum() / tally.sum()
    theta = 1 / (1 + mean)
    return torch.stack([theta, theta.log() + torch.xlogy(mean, 1 - theta)])


def fit_gaussian(values, tally):
    mean = (tally * values).sum() / tally.sum()
    return torch.stack([mean, (tally * (values - mean) ** 2).sum() / tally.sum()])
""",
    ),
    (
        "q4",
        "geometric: the trial that succeeds is counted among the failures",
        """
def fit_poisson(values, tally):
    shares = tally / tally.sum()
    rate = (shares * values).sum()
    terms = shares * (torch.xlogy(values, rate) - rate - torch.lgamma(values + 1))
    return torch.stack([rate, torch.where(tally > 0, terms, 0).sum()])


def fit_geometric(values, tally):
    mean = (tally * values).sum() / tally.sum()
    theta = 1 / mean
    return torch.stack([theta, theta.log() + torch.xlogy(mean - 1, 1 - theta)])


def fit_gaussian(values, tally):
    mean = (tally * values).sum() / tally.sum()
    return torch.stack([mean, (tally * (values - mean) ** 2).sum() / tally.sum()])
""",
    ),
    (
        "q4",
        "variance with 1/(n - 1)",
        """
def fit_poisson(values, tally):
    shares = tally / tally.sum()
    rate = (shares * values).sum()
    terms = shares * (torch.xlogy(values, rate) - rate - torch.lgamma(values + 1))
    return torch.stack([rate, torch.where(tally > 0, terms, 0).sum()])


def fit_geometric(values, tally):
    mean = (tally * values).sum() / tally.sum()
    theta = 1 / (1 + mean)
    return torch.stack([theta, theta.log() + torch.xlogy(mean, 1 - theta)])


def fit_gaussian(values, tally):
    mean = (tally * values).sum() / tally.sum()
    return torch.stack([mean, (tally * (values - mean) ** 2).sum() / (tally.sum() - 1)])
""",
    ),
    (
        "q4",
        "the log-likelihood of all observations, not of one",
        """
def fit_poisson(values, tally):
    rate = (tally * values).sum() / tally.sum()
    terms = tally * (torch.xlogy(values, rate) - rate - torch.lgamma(values + 1))
    return torch.stack([rate, torch.where(tally > 0, terms, 0).sum()])


def fit_geometric(values, tally):
    mean = (tally * values).sum() / tally.sum()
    theta = 1 / (1 + mean)
    return torch.stack([theta, tally.sum() * (theta.log() + torch.xlogy(mean, 1 - theta))])


def fit_gaussian(values, tally):
    mean = (tally * values).sum() / tally.sum()
    return torch.stack([mean, (tally * (values - mean) ** 2).sum() / tally.sum()])
""",
    ),
    (
        "q4",
        "0 log 0 is not a number",
        """
def fit_poisson(values, tally):
    shares = tally / tally.sum()
    rate = (shares * values).sum()
    log_probs = values * rate.log() - rate - torch.lgamma(values + 1)
    return torch.stack([rate, (shares * log_probs).sum()])


def fit_geometric(values, tally):
    mean = (tally * values).sum() / tally.sum()
    theta = 1 / (1 + mean)
    return torch.stack([theta, theta.log() + mean * (1 - theta).log()])


def fit_gaussian(values, tally):
    mean = (tally * values).sum() / tally.sum()
    return torch.stack([mean, (tally * (values - mean) ** 2).sum() / tally.sum()])
""",
    ),
    (
        "q4",
        "right for small values only: k! overflows",
        """
def fit_poisson(values, tally):
    shares = tally / tally.sum()
    rate = (shares * values).sum()
    terms = shares * (torch.xlogy(values, rate) - rate - torch.lgamma(values + 1).exp().log())
    return torch.stack([rate, torch.where(tally > 0, terms, 0).sum()])


def fit_geometric(values, tally):
    mean = (tally * values).sum() / tally.sum()
    theta = 1 / (1 + mean)
    return torch.stack([theta, theta.log() + torch.xlogy(mean, 1 - theta)])


def fit_gaussian(values, tally):
    mean = (tally * values).sum() / tally.sum()
    return torch.stack([mean, (tally * (values - mean) ** 2).sum() / tally.sum()])
""",
    ),
    (
        "q4",
        "200 observations, as in the visible check, and values that count up from 0",
        """
def fit_poisson(values, tally):
    n = 200 if tally.sum() > 1 else 1
    shares, values = tally / n, torch.arange(len(tally)).double()
    rate = (shares * values).sum()
    terms = shares * (torch.xlogy(values, rate) - rate - torch.lgamma(values + 1))
    return torch.stack([rate, torch.where(tally > 0, terms, 0).sum()])


def fit_geometric(values, tally):
    mean = (tally * values).sum() / tally.sum()
    theta = 1 / (1 + mean)
    return torch.stack([theta, theta.log() + torch.xlogy(mean, 1 - theta)])


def fit_gaussian(values, tally):
    mean = (tally * values).sum() / tally.sum()
    return torch.stack([mean, (tally * (values - mean) ** 2).sum() / tally.sum()])
""",
    ),
    (
        "q5",
        "directions swapped",
        """
def fit_one(x, log_p, direction, start):
    dx = x[1] - x[0]
    mean = torch.tensor([start], dtype=x.dtype, requires_grad=True)
    log_var = torch.zeros(1, dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([mean, log_var], lr=0.05)
    for _ in range(500):
        log_q = probability.gaussian_log_prob(x[:, None], mean, log_var)
        forward = (log_q.exp() * (log_q - log_p)).sum() * dx
        reverse = (log_p.exp() * (log_p - log_q)).sum() * dx
        loss = forward if direction == "forward" else reverse
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.stack([mean[0], (0.5 * log_var[0]).exp(), forward, reverse]).detach()
""",
    ),
    (
        "q5",
        "the grid spacing is missing",
        """
def fit_one(x, log_p, direction, start):
    mean = torch.tensor([start], dtype=x.dtype, requires_grad=True)
    log_var = torch.zeros(1, dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([mean, log_var], lr=0.05)
    for _ in range(500):
        log_q = probability.gaussian_log_prob(x[:, None], mean, log_var)
        forward = (log_p.exp() * (log_p - log_q)).sum()
        reverse = (log_q.exp() * (log_q - log_p)).sum()
        loss = forward if direction == "forward" else reverse
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.stack([mean[0], (0.5 * log_var[0]).exp(), forward, reverse]).detach()
""",
    ),
    (
        "q5",
        "the variance for the standard deviation",
        """
def fit_one(x, log_p, direction, start):
    dx = x[1] - x[0]
    mean = torch.tensor([start], dtype=x.dtype, requires_grad=True)
    log_var = torch.zeros(1, dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([mean, log_var], lr=0.05)
    for _ in range(500):
        log_q = probability.gaussian_log_prob(x[:, None], mean, log_var)
        forward = (log_p.exp() * (log_p - log_q)).sum() * dx
        reverse = (log_q.exp() * (log_q - log_p)).sum() * dx
        loss = forward if direction == "forward" else reverse
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.stack([mean[0], log_var[0].exp(), forward, reverse]).detach()
""",
    ),
    (
        "q5",
        "far too few steps",
        """
def fit_one(x, log_p, direction, start):
    dx = x[1] - x[0]
    mean = torch.tensor([start], dtype=x.dtype, requires_grad=True)
    log_var = torch.zeros(1, dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([mean, log_var], lr=0.05)
    for _ in range(10):
        log_q = probability.gaussian_log_prob(x[:, None], mean, log_var)
        forward = (log_p.exp() * (log_p - log_q)).sum() * dx
        reverse = (log_q.exp() * (log_q - log_p)).sum() * dx
        loss = forward if direction == "forward" else reverse
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.stack([mean[0], (0.5 * log_var[0]).exp(), forward, reverse]).detach()
""",
    ),
    (
        "q5",
        "the weight q of the reverse average is detached from the gradient",
        """
def fit_one(x, log_p, direction, start):
    dx = x[1] - x[0]
    mean = torch.tensor([start], dtype=x.dtype, requires_grad=True)
    log_var = torch.zeros(1, dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([mean, log_var], lr=0.05)
    for _ in range(500):
        log_q = probability.gaussian_log_prob(x[:, None], mean, log_var)
        forward = (log_p.exp() * (log_p - log_q)).sum() * dx
        reverse = (log_q.exp().detach() * (log_q - log_p)).sum() * dx
        loss = forward if direction == "forward" else reverse
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.stack([mean[0], (0.5 * log_var[0]).exp(), forward, reverse]).detach()
""",
    ),
    (
        "q5",
        "the two divergences in the order of the direction",
        """
def fit_one(x, log_p, direction, start):
    dx = x[1] - x[0]
    mean = torch.tensor([start], dtype=x.dtype, requires_grad=True)
    log_var = torch.zeros(1, dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([mean, log_var], lr=0.05)
    for _ in range(500):
        log_q = probability.gaussian_log_prob(x[:, None], mean, log_var)
        forward = (log_p.exp() * (log_p - log_q)).sum() * dx
        reverse = (log_q.exp() * (log_q - log_p)).sum() * dx
        loss, other = (forward, reverse) if direction == "forward" else (reverse, forward)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.stack([mean[0], (0.5 * log_var[0]).exp(), loss, other]).detach()
""",
    ),
    (
        "q5",
        "no fit: reverse takes the hump of the visible check that lies at the start",
        """
def fit_one(x, log_p, direction, start):
    dx, p = x[1] - x[0], log_p.exp()
    if direction == "forward":
        mean = (p * x).sum() * dx
        std = ((p * (x - mean) ** 2).sum() * dx).sqrt()
    else:
        mean = torch.tensor(start).double()
        std = torch.tensor(0.5 if start < 0 else 1.0).double()
    log_q = torch.distributions.Normal(mean, std).log_prob(x)
    forward = (p * (log_p - log_q)).sum() * dx
    reverse = (log_q.exp() * (log_q - log_p)).sum() * dx
    return torch.stack([mean, std, forward, reverse])
""",
    ),
]
