const HEIGHT = 3.2; // of the std axis

// The log-likelihood needs the data only through n, their mean and their variance (with 1/n).
function summarize(data) {
  const centre = average(data);
  return { n: data.length, centre, variance: average(data.map((x) => (x - centre) ** 2)) };
}
const logLikelihood = ({ n, centre, variance }, mean, std) =>
  -n * (Math.log(std) + 0.5 * Math.log(2 * Math.PI) + (variance + (centre - mean) ** 2) / (2 * std * std));

// Where the log-likelihood equals `level`: (mean - centre)² = h(std), closed form, so no contour search is needed.
function contour({ n, centre, variance }, level) {
  const h = (std) => 2 * std * std * (-level / n - Math.log(std) - 0.5 * Math.log(2 * Math.PI)) - variance;
  const ends = [1e-9, 1e9].map((outside) => { // h is positive between two ends around √variance: bisect log std
    let [out, inside] = [Math.log(outside), 0.5 * Math.log(variance)];
    for (let i = 0; i < 60; i++) {
      const middle = 0.5 * (out + inside);
      if (h(Math.exp(middle)) < 0) out = middle;
      else inside = middle;
    }
    return Math.exp(inside);
  });
  // Even in log std, and denser towards the ends, where the curve turns.
  const stds = grid(0, Math.PI, 121).map((t) => ends[0] * (ends[1] / ends[0]) ** (0.5 - 0.5 * Math.cos(t)));
  const right = stds.map((std) => [centre + Math.sqrt(Math.max(0, h(std))), std]);
  return [...right, ...right.map(([mean, std]) => [2 * centre - mean, std]).reverse()];
}

const render = figure({
  state: ["data", "mean", "std"],
  describe: ({ log_likelihood, max_log_likelihood }) =>
    `Log-likelihood ${fixed(log_likelihood)} nats; its maximum is ${fixed(max_log_likelihood)} nats.`,
  build(f) {
    const row = f.row();
    const line = f.plot(row, {
      label: "Data points and the density of the model", basis: 290, height: 320, bottom: 62, tickGap: 13,
      xRange: [-4, 4], yLabel: "density",
    });
    const surface = f.plot(row, {
      label: "Contours of the log-likelihood over mean and standard deviation", basis: 260, height: 298,
      xRange: [-3.6, 3.6], yRange: [0, HEIGHT], xLabel: "mean μ", yLabel: "standard deviation σ",
    });
    const theta = () => [f.get("mean"), f.get("std")];
    f.get("data").forEach((_, i) =>
      line.handle({
        label: `Data point ${i + 1}`, colour: "blue",
        at: () => [f.get("data")[i], 0], move: (x) => f.set("data", x, i),
      }),
    );
    line.gaussian({ name: "the model", mean: "mean", std: "std", colour: "orange", shape: "diamond" });
    surface.handle({
      label: "Mean and standard deviation", colour: "orange", shape: "diamond", axis: "xy",
      at: theta, move: (mean, std) => (f.set("mean", mean), f.set("std", std)),
    });
    f.readout(f.row(), {
      log_likelihood: ["◆ log-likelihood here", "orange", "nats"],
      max_log_likelihood: ["✕ at the maximum", "green", "nats"],
      mle_mean: ["<i>μ</i> there", "green", ""],
      mle_std: ["<i>σ</i> there", "green", ""],
    });

    return () => {
      const data = f.get("data"), [mean, std] = theta();
      const xs = grid(-4, 4, 201), ys = xs.map((x) => normal(x, mean, std));
      line.yRange = [0, 1.25 * Math.max(0.4, normal(0, 0, std))];
      line.begin();
      line.inside(() => {
        line.area(xs, ys, { colour: "orange", alpha: 0.1 });
        line.curve(xs, ys, { colour: "orange", dash: "dashed" });
      });
      line.write("log p", 2, line.height - 15, { align: "left", colour: "blue" });
      let free = line.left; // numbers that would touch their left neighbour are left out
      for (const x of [...data].sort((a, b) => a - b)) {
        const y = normal(x, mean, std);
        line.segment(x, 0, x, y, { colour: "blue", width: 1.75 });
        line.mark(x, y, "circle", { colour: "blue", size: 3 });
        if (line.px(x) < free) continue;
        line.write(fixed(logNormal(x, mean, std), 1), line.px(x), line.height - 15, { colour: "blue" });
        free = line.px(x) + 30;
      }

      const facts = summarize(data), mle = [facts.centre, Math.max(1e-6, Math.sqrt(facts.variance))];
      const best = logLikelihood(facts, ...mle), here = logLikelihood(facts, mean, std);
      surface.begin();
      surface.inside(() => {
        for (const drop of [64, 32, 16, 8, 4, 2, 1]) {
          const points = contour(facts, best - drop).map(([a, b]) => [surface.px(a), surface.py(b)]);
          if (points.length) surface.line(points, { colour: "green", width: 1.25, fill: 0.07, close: true });
        }
        const own = contour(facts, here).map(([a, b]) => [surface.px(a), surface.py(b)]);
        if (own.length > 4) surface.line(own, { colour: "orange", width: 1.75, dash: "dashed", close: true });
      });
      const [x, y] = [surface.px(mle[0]), surface.py(mle[1])];
      surface.line([[x - 6, y - 6], [x + 6, y + 6]], { colour: "green", width: 2.5 });
      surface.line([[x - 6, y + 6], [x + 6, y - 6]], { colour: "green", width: 2.5 });
      surface.text("maximum", ...mle, { colour: "green", dy: mle[1] < 0.5 ? -14 : 22 });
      return { log_likelihood: here, max_log_likelihood: best, mle_mean: mle[0], mle_std: mle[1] };
    };
  },
});

export default { render };
