const DECODERS = { linear: (z) => z, quadratic: (z) => z * z - 1 };
const logJoint = (z, x, noise, decoder) => logNormal(z, 0, 1) + logNormal(x, DECODERS[decoder](z), noise);

// log p(x) = log ∫ p(z) p(x | z) dz on a grid fine enough for the smallest noise.
const logEvidence = (x, noise, decoder) =>
  Math.log(integrate((z) => Math.exp(logJoint(z, x, noise, decoder)), -8, 8, 1601));

// E_q[log p(x | z)] in closed form, from the moments E[z²] and E[z⁴] of q = N(m, s²).
function reconstruction(x, m, s, noise, decoder) {
  const second = m * m + s * s, fourth = m ** 4 + 6 * m * m * s * s + 3 * s ** 4;
  const error = decoder === "linear" ? x * x - 2 * x * m + second : (x + 1) ** 2 - 2 * (x + 1) * second + fourth;
  return -0.5 * Math.log(2 * Math.PI * noise * noise) - error / (2 * noise * noise);
}

const klPrior = (m, s) => 0.5 * (m * m + s * s - 1) - Math.log(s);

// KL(q ‖ posterior), integrated by itself: that it equals log p(x) - ELBO is the theorem, and a test.
const klPosterior = (x, m, s, noise, decoder, evidence) =>
  integrate((z) => {
    const logQ = logNormal(z, m, s);
    return Math.exp(logQ) * (logQ - logJoint(z, x, noise, decoder) + evidence);
  }, m - 8 * s, m + 8 * s);

const render = figure({
  state: ["x", "mean", "std", "noise", "decoder"],
  describe: ({ log_evidence, elbo, gap }) =>
    `log p(x) ${fixed(log_evidence)} nats, ELBO ${fixed(elbo)} nats, gap ${fixed(gap)} nats.`,
  build(f) {
    const row = f.row(), q = () => [f.get("mean"), f.get("std")];
    const upper = f.plot(row, {
      label: "The exact posterior over z, the prior and q", basis: 700, height: 240, xRange: [-4, 4], xLabel: "z",
      yLabel: "density",
    });
    const lower = f.plot(row, {
      label: "How log p(x) splits into reconstruction, KL to the prior and the gap", basis: 700, height: 186,
      left: 16, xCount: 8, yRange: [0, 3], yTicks: [], xLabel: "nats",
    });
    const nameQ = upper.gaussian({ name: "q", mean: "mean", std: "std", colour: "orange", shape: "diamond", side: -1 });
    const numbers = f.row();
    f.readout(numbers, {
      log_evidence: ["log <i>p</i>(<i>x</i>)", "blue", "nats"],
      elbo: ["ELBO", "orange", "nats"],
      gap: ["gap KL(<i>q</i> ‖ posterior)", "pink", "nats"],
    });
    const controls = f.row();
    f.slider(controls, { trait: "x", symbol: "<i>x</i>", label: "Observation x", step: 0.05 });
    f.slider(controls, { trait: "noise", symbol: "noise", label: "Standard deviation of x given z" });
    f.choice(controls, {
      trait: "decoder", label: "Decoder",
      options: { linear: "<i>f</i>(<i>z</i>) = <i>z</i>", quadratic: "<i>f</i>(<i>z</i>) = <i>z</i>² − 1" },
    });

    return () => {
      const [x, noise, decoder] = ["x", "noise", "decoder"].map((name) => f.get(name)), [mean, std] = q();
      const log_evidence = logEvidence(x, noise, decoder);
      const reconstructed = reconstruction(x, mean, std, noise, decoder), kl_prior = klPrior(mean, std);
      const elbo = reconstructed - kl_prior, gap = klPosterior(x, mean, std, noise, decoder, log_evidence);

      const zs = grid(-4, 4, 321), posterior = zs.map((z) => Math.exp(logJoint(z, x, noise, decoder) - log_evidence));
      const highest = Math.max(...posterior);
      upper.yRange = [0, 1.2 * Math.max(0.5, highest, normal(0, 0, std))];
      upper.begin();
      upper.inside(() => {
        upper.curve(zs, zs.map((z) => normal(z, 0, 1)), { colour: "grey", dash: "dotted", width: 1.75 });
        upper.area(zs, posterior, { colour: "blue" });
        upper.curve(zs, posterior, { colour: "blue" });
        upper.curve(zs, zs.map((z) => normal(z, mean, std)), { colour: "orange", dash: "dashed" });
      });
      const flank = posterior.findLastIndex((y) => y > 0.6 * highest);
      upper.text("prior", -1.9, normal(1.9, 0, 1), { colour: "grey", dx: -18, dy: -4 });
      upper.text("posterior", zs[flank], posterior[flank], { colour: "blue", align: "left", dx: 9 });
      nameQ();

      // A waterfall: each bar starts where the one above it ends. The scale doubles when it must.
      let low = -4;
      while (low > Math.min(elbo, log_evidence) * 1.05) low *= 2;
      lower.xRange = [low, Math.max(reconstructed, log_evidence, 0) - low * 0.04];
      lower.begin();
      const steps = [
        ["reconstruction", 0, reconstructed, "green", 2], ["−KL(q ‖ prior)", reconstructed, elbo, "grey", 1],
        ["gap", elbo, elbo + gap, "pink", 0],
      ];
      for (const [name, from, to, colour, level] of steps) {
        lower.rectangle(from, level + 0.22, to, level + 0.78, { colour, fill: 0.45, width: 1.25 });
        const [left, right] = [Math.min(from, to), Math.max(from, to)];
        const text = `${name} ${fixed(to - from)}`, y = level + 0.5;
        if (lower.px(right) - lower.px(left) > 160)
          lower.text(text, left, y, { align: "left", dx: 10, dy: 5, halo: false });
        else if (lower.px(left) > 170) lower.text(text, left, y, { align: "right", dx: -8, dy: 5, colour });
        else lower.text(text, right, y, { align: "left", dx: 8, dy: 5, colour });
      }
      // The ELBO is never above log p(x), so these two names never meet.
      lower.segment(elbo, 0, elbo, 3, { colour: "orange", dash: "dashed", width: 1.75 });
      lower.segment(log_evidence, 0, log_evidence, 3, { colour: "blue", width: 1.75 });
      lower.text("ELBO", elbo, 3, { colour: "orange", align: "right", dx: -2, dy: -7 });
      lower.text("log p(x)", log_evidence, 3, { colour: "blue", align: "left", dx: 2, dy: -7 });
      return { log_evidence, elbo, gap, reconstruction: reconstructed, kl_prior };
    };
  },
});

export default { render };
