// KL(N(a, s²) ‖ N(b, t²)) in closed form.
const klGaussians = (a, s, b, t) => Math.log(t / s) + (s * s + (a - b) ** 2) / (2 * t * t) - 0.5;

// Jensen-Shannon: the mean KL of p and q to their even mixture, by quadrature.
function jensenShannon(a, s, b, t) {
  const integrand = (x) => {
    const [logP, logQ] = [logNormal(x, a, s), logNormal(x, b, t)], logM = logAddExp(logP, logQ) - Math.LN2;
    return 0.5 * (Math.exp(logP) * (logP - logM) + Math.exp(logQ) * (logQ - logM));
  };
  return integrate(integrand, Math.min(a - 9 * s, b - 9 * t), Math.max(a + 9 * s, b + 9 * t));
}

const render = figure({
  state: ["mean_p", "std_p", "mean_q", "std_q", "direction"],
  describe: ({ kl_pq, kl_qp, js }) =>
    `KL from p to q ${fixed(kl_pq)}, KL from q to p ${fixed(kl_qp)}, Jensen-Shannon ${fixed(js)} nats.`,
  build(f) {
    const pair = (name) => [f.get(`mean_${name}`), f.get(`std_${name}`)];
    const box = f.row();
    const upper = f.plot(box, {
      label: "The densities p and q", basis: 700, height: 230, bottom: 24, xRange: [-5, 5], yLabel: "density",
    });
    const lower = f.plot(box, {
      label: "The integrand of the divergence", basis: 700, height: 170, xRange: [-5, 5], xLabel: "x", yCount: 3,
    });
    const nameP = upper.gaussian({
      name: "p", mean: "mean_p", std: "std_p", colour: "blue", shape: "circle", side: -1,
    });
    const nameQ = upper.gaussian({ name: "q", mean: "mean_q", std: "std_q", colour: "orange", shape: "diamond" });
    const controls = f.row();
    f.readout(controls, {
      kl_pq: ["KL(<i>p</i> ‖ <i>q</i>)", "blue", "nats"],
      kl_qp: ["KL(<i>q</i> ‖ <i>p</i>)", "orange", "nats"],
      js: ["JS(<i>p</i>, <i>q</i>)", "green", "nats"],
    }, { bars: true });
    f.choice(controls, {
      trait: "direction", label: "Integrand to show",
      options: { forward: "<i>p</i> log(<i>p</i>/<i>q</i>)", reverse: "<i>q</i> log(<i>q</i>/<i>p</i>)" },
    });

    return () => {
      const [p, q] = [pair("p"), pair("q")], forward = f.get("direction") === "forward";
      const xs = grid(-5, 5, 241), ps = xs.map((x) => normal(x, ...p)), qs = xs.map((x) => normal(x, ...q));
      upper.yRange = [0, 1.2 * Math.max(normal(0, 0, p[1]), normal(0, 0, q[1]))];
      upper.begin();
      upper.inside(() => {
        upper.area(xs, ps, { colour: "blue" });
        upper.curve(xs, ps, { colour: "blue" });
        upper.curve(xs, qs, { colour: "orange", dash: "dashed" });
      });
      nameP();
      nameQ();
      const [from, to] = forward ? [p, q] : [q, p];
      const part = xs.map((x) => normal(x, ...from) * (logNormal(x, ...from) - logNormal(x, ...to)));
      const [low, high] = [Math.min(...part), Math.max(...part)];
      const colour = forward ? "blue" : "orange";
      lower.yRange = [Math.min(-0.2, 1.15 * low), Math.max(0.4, 1.15 * high)];
      lower.yLabel = forward ? "p log(p/q)" : "q log(q/p)";
      lower.begin();
      lower.inside(() => {
        lower.area(xs, part.map((y) => Math.max(0, y)), { colour, alpha: 0.35 });
        lower.area(xs, part.map((y) => Math.min(0, y)), { colour: "grey", alpha: 0.35 });
        lower.curve(xs, part, { colour, width: 1.75, dash: forward ? "solid" : "dashed" });
        lower.segment(-5, 0, 5, 0, { alpha: 0.5 });
      });
      if (high > 0.08) lower.text("+", xs[part.indexOf(high)], high / 2, { size: 17, dy: 5, halo: false });
      if (low < -0.06) lower.text("−", xs[part.indexOf(low)], low / 2, { size: 17, dy: 5, halo: false });
      const caption = forward ? "signed area = KL(p ‖ q)" : "signed area = KL(q ‖ p)";
      lower.text(caption, 5, lower.yRange[1], { align: "right", size: 12.5, dy: 14 });
      return { kl_pq: klGaussians(...p, ...q), kl_qp: klGaussians(...q, ...p), js: jensenShannon(...p, ...q) };
    };
  },
});

export default { render };
