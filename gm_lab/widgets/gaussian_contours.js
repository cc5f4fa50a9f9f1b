// (x - mean)ᵀ Σ⁻¹ (x - mean), written out for two dimensions; u and v are the standardized coordinates.
function squaredMahalanobis(x, mean, std, rho) {
  const [u, v] = [0, 1].map((i) => (x[i] - mean[i]) / std[i]);
  return (u * u - 2 * rho * u * v + v * v) / (1 - rho * rho);
}

const logDensity = (x, mean, std, rho) =>
  -0.5 * squaredMahalanobis(x, mean, std, rho) - Math.log(2 * Math.PI * std[0] * std[1] * Math.sqrt(1 - rho * rho));

// The points at Mahalanobis distance `radius`: mean + radius · L (cos t, sin t), L the Cholesky factor of Σ.
const ellipse = (mean, std, rho, radius) =>
  grid(0, 2 * Math.PI, 121).map((t) => [
    mean[0] + radius * std[0] * Math.cos(t),
    mean[1] + radius * std[1] * (rho * Math.cos(t) + Math.sqrt(1 - rho * rho) * Math.sin(t)),
  ]);

const render = figure({
  state: ["mean", "x", "std", "correlation"],
  describe: ({ log_density, distance, difference }) =>
    `log p(x) ${fixed(log_density)} nats, Mahalanobis distance ${fixed(distance)}, ` +
    `marginals differ from the joint by ${fixed(difference)} nats.`,
  build(f) {
    const row = f.row();
    const plane = f.plot(row, {
      label: "Contours of a Gaussian in the plane, with its marginals along the axes", square: true, basis: 300,
      xRange: [-4, 4], yRange: [-4, 4], yCount: 6, xLabel: "x₁", yLabel: "x₂",
    });
    plane.handle({
      label: "Mean", colour: "blue", axis: "xy", step: [0.1, 0.1],
      at: () => f.get("mean"), move: (...place) => f.set("mean", place),
    });
    plane.handle({
      label: "Point x", colour: "orange", shape: "diamond", axis: "xy", step: [0.1, 0.1],
      at: () => f.get("x"), move: (...place) => f.set("x", place),
    });
    const side = (f.footer = f.column(row, 250));
    f.slider(side, { trait: "std", index: 0, symbol: "<i>σ</i>₁", label: "Standard deviation of x₁" });
    f.slider(side, { trait: "std", index: 1, symbol: "<i>σ</i>₂", label: "Standard deviation of x₂" });
    f.slider(side, { trait: "correlation", symbol: "<i>ρ</i>", label: "Correlation" });
    f.readout(side, {
      log_density: ["log <i>p</i>(<i>x</i>)", "blue", "nats"],
      distance: ["Mahalanobis distance", "orange", ""],
      log_marginals: ["log <i>p</i>(<i>x</i>₁) + log <i>p</i>(<i>x</i>₂)", "green", "nats"],
      difference: ["difference", "ink", "nats"],
    });

    return () => {
      const [mean, x, std, rho] = ["mean", "x", "std", "correlation"].map((name) => f.get(name));
      plane.begin();
      plane.inside(() => {
        for (const radius of [3, 2, 1]) {
          const ring = ellipse(mean, std, rho, radius);
          const points = ring.map(([a, b]) => [plane.px(a), plane.py(b)]);
          plane.line(points, { colour: "blue", width: 1.75, fill: 0.1, alpha: radius === 3 ? 0.45 : 1 });
        }
        // The marginals stand on the lower and left edges; a unit of density is two units of length.
        const ts = grid(-4, 4, 161), tall = (i) => ts.map((t) => -4 + 2 * normal(t, mean[i], std[i]));
        plane.area(ts, tall(0), { colour: "green", alpha: 0.25, base: -4 });
        plane.curve(ts, tall(0), { colour: "green", width: 1.75 });
        const left = tall(1).map((height, i) => [plane.px(height), plane.py(ts[i])]);
        const corners = [[plane.px(-4), plane.py(4)], [plane.px(-4), plane.py(-4)]];
        plane.line([...left, ...corners], { colour: "green", width: 0, fill: 0.25 });
        plane.line(left, { colour: "green", width: 1.75 });
        plane.segment(x[0], x[1], x[0], -4, { colour: "orange", dash: "dashed", width: 1.25 });
        plane.segment(x[0], x[1], -4, x[1], { colour: "orange", dash: "dashed", width: 1.25 });
      });
      for (const radius of [1, 2]) {
        const top = ellipse(mean, std, rho, radius).reduce((a, b) => (b[1] > a[1] ? b : a));
        if (top[1] < 3.7) plane.text(`${radius}σ`, ...top, { colour: "blue", size: 12.5, dy: -4 });
      }
      plane.text("x", ...x, { colour: "orange", italic: true, size: 16, dx: 15, dy: -10 });
      const log_density = logDensity(x, mean, std, rho);
      const log_marginals = logNormal(x[0], mean[0], std[0]) + logNormal(x[1], mean[1], std[1]);
      return {
        log_density, log_marginals, difference: log_density - log_marginals,
        distance: Math.sqrt(squaredMahalanobis(x, mean, std, rho)),
      };
    };
  },
});

export default { render };
