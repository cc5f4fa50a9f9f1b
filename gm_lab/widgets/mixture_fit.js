const MODE_STD = 0.6;
const logMixture = (x, separation) =>
  logAddExp(logNormal(x, -separation / 2, MODE_STD), logNormal(x, separation / 2, MODE_STD)) - Math.LN2;

function klForward(separation, mean, std, count = 400) {
  const reach = separation / 2 + 8 * MODE_STD;
  return integrate((x) => {
    const logP = logMixture(x, separation);
    return Math.exp(logP) * (logP - logNormal(x, mean, std));
  }, -reach, reach, count);
}

const klReverse = (separation, mean, std, count = 400) =>
  integrate((x) => {
    const logQ = logNormal(x, mean, std);
    return Math.exp(logQ) * (logQ - logMixture(x, separation));
  }, mean - 8 * std, mean + 8 * std, count);

// One step of natural gradient descent on (mean, log std): the gradient, by central differences of the grid
// integral, is divided by the Fisher information of a Gaussian, diag(1/std², 2). Steps of log std are capped.
function descend(divergence, separation, mean, std, rate = 0.15) {
  const loss = (a, b) => divergence(separation, a, Math.exp(b)), h = 1e-4, logStd = Math.log(std);
  const [byMean, byLogStd] = [
    (loss(mean + h, logStd) - loss(mean - h, logStd)) / (2 * h),
    (loss(mean, logStd + h) - loss(mean, logStd - h)) / (2 * h),
  ];
  return [mean - rate * std * std * byMean, Math.exp(logStd + clamp((-rate / 2) * byLogStd, -0.1, 0.1))];
}

const render = figure({
  state: ["separation", "mean", "std"],
  describe: ({ kl_forward, kl_reverse }) =>
    `KL from p to q ${fixed(kl_forward)} nats, KL from q to p ${fixed(kl_reverse)} nats.`,
  build(f) {
    const box = f.row(), q = () => [f.get("mean"), f.get("std")];
    const upper = f.plot(box, {
      label: "A mixture p with two modes and one Gaussian q", basis: 700, height: 230, bottom: 24,
      xRange: [-5.5, 5.5], yLabel: "density",
    });
    const lower = f.plot(box, {
      label: "Both divergences against the mean of q", basis: 700, height: 190, xRange: [-5.5, 5.5], yRange: [0, 5],
      xLabel: "mean of q", yLabel: "KL at this std (nats)", yCount: 3,
    });
    const nameQ = upper.gaussian({ name: "q", mean: "mean", std: "std", colour: "orange", shape: "diamond" });
    const controls = f.row();
    const numbers = f.column(controls, 300), buttons = f.column(controls, 200);
    f.readout(numbers, {
      kl_forward: ["KL(<i>p</i> ‖ <i>q</i>)", "blue", "nats"],
      kl_reverse: ["KL(<i>q</i> ‖ <i>p</i>)", "pink", "nats"],
    }, { bars: true });
    f.slider(numbers, { trait: "separation", symbol: "modes apart", label: "Distance of the two modes", step: 0.05 });
    const minimize = (divergence) => () =>
      f.animate(() => {
        const before = q(), after = descend(divergence, f.get("separation"), ...before);
        f.set("mean", after[0]);
        f.set("std", after[1]);
        return Math.hypot(after[0] - before[0], after[1] - before[1]) > 2e-4;
      });
    f.button(buttons, "Minimize KL(<i>p</i> ‖ <i>q</i>)", minimize(klForward));
    f.button(buttons, "Minimize KL(<i>q</i> ‖ <i>p</i>)", minimize(klReverse));

    return () => {
      const separation = f.get("separation"), [mean, std] = q();
      const xs = grid(-5.5, 5.5, 241), ps = xs.map((x) => Math.exp(logMixture(x, separation)));
      const qs = xs.map((x) => normal(x, mean, std));
      upper.yRange = [0, 1.2 * Math.max(normal(0, 0, std), ...ps)];
      upper.begin();
      upper.inside(() => {
        upper.area(xs, ps, { colour: "blue" });
        upper.curve(xs, ps, { colour: "blue" });
        upper.curve(xs, qs, { colour: "orange", dash: "dashed" });
      });
      upper.text("p", -separation / 2 - 0.8, Math.exp(logMixture(-separation / 2 - 0.8, separation)),
        { colour: "blue", italic: true, size: 17, dx: -10, dy: -6 });
      nameQ();

      const means = grid(-5.5, 5.5, 56);
      const [forward, reverse] = [klForward, klReverse].map((kl) => means.map((m) => kl(separation, m, std, 80)));
      const kl_forward = klForward(separation, mean, std), kl_reverse = klReverse(separation, mean, std);
      lower.begin();
      lower.inside(() => {
        lower.segment(mean, 0, mean, 5, { colour: "orange", dash: "dashed", alpha: 0.8 });
        lower.curve(means, forward, { colour: "blue" });
        lower.curve(means, reverse, { colour: "pink", dash: "dashed" });
      });
      lower.mark(mean, Math.min(5, kl_forward), "circle", { colour: "blue" });
      lower.mark(mean, Math.min(5, kl_reverse), "square", { colour: "pink" });
      // Where a curve enters the picture, its name: inside the left arm of one, outside the right arm of the other.
      const entry = means.findIndex((_, i) => forward[i] < 3.6), exit = reverse.findLastIndex((y) => y < 4.4);
      if (entry >= 0) lower.text("KL(p ‖ q)", means[entry], forward[entry], { colour: "blue", align: "left", dx: 8 });
      if (exit >= 0) lower.text("KL(q ‖ p)", means[exit], reverse[exit], { colour: "pink", align: "left", dx: 8 });
      return { kl_forward, kl_reverse };
    };
  },
});

export default { render };
