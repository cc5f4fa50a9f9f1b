const LOWEST = 0.01;
const lengths = (q) => q.map((value) => -Math.log2(value));
const crossEntropy = (p, q) => sum(lengths(q).map((bits, i) => p[i] * bits));

// p with entry i set to `value`: what the others have above LOWEST shrinks or grows by one common factor.
function rebalance(p, i, value) {
  const n = p.length, chosen = clamp(value, LOWEST, 1 - (n - 1) * LOWEST);
  const above = p.map((old, j) => (j === i ? 0 : Math.max(old - LOWEST, 1e-9)));
  const factor = (1 - chosen - (n - 1) * LOWEST) / sum(above);
  return above.map((part, j) => (j === i ? chosen : LOWEST + part * factor));
}

const render = figure({
  state: ["p", "q"],
  describe: ({ entropy, cross_entropy, kl }) =>
    `Entropy ${fixed(entropy)} bits, cross-entropy ${fixed(cross_entropy)} bits, KL ${fixed(kl)} bits.`,
  build(f) {
    const row = f.row(), symbols = f.get("symbols"), n = symbols.length;
    const bars = f.plot(row, {
      label: "Probabilities p and q of the symbols", basis: 265, height: 300, xRange: [-0.6, n - 0.4], yRange: [0, 1.12],
      xTicks: symbols.map((symbol, i) => [i, symbol]), xLabel: "symbol", yLabel: "probability",
    });
    const areas = f.plot(row, {
      label: "Code lengths: rectangles as wide as p and as high as the code length", basis: 290, height: 300,
      xRange: [0, 1], xLabel: "probability p", yLabel: "code length (bits)", xCount: 4,
    });
    for (const [name, colour, shape, offset] of [["p", "blue", "circle", -0.21], ["q", "orange", "diamond", 0.21]])
      symbols.forEach((symbol, i) =>
        bars.handle({
          label: `${name} of ${symbol}`, colour, shape, axis: "y", step: [0, 0.01],
          at: () => [i + offset, f.get(name)[i]],
          move: (_, y) => f.set(name, rebalance(f.get(name), i, y)),
        }),
      );
    const controls = f.row();
    f.readout(controls, {
      entropy: ["■ entropy H(<i>p</i>)", "blue", "bits"],
      cross_entropy: ["┄ cross-entropy H(<i>p</i>, <i>q</i>)", "orange", "bits"],
      kl: ["difference, KL(<i>p</i> ‖ <i>q</i>)", "pink", "bits"],
    });
    f.button(controls, "Set <i>q</i> to <i>p</i>", () => f.set("q", [...f.get("p")]));

    return () => {
      const [p, q] = [f.get("p"), f.get("q")], [best, used] = [lengths(p), lengths(q)];
      bars.begin();
      symbols.forEach((_, i) => {
        bars.rectangle(i - 0.38, 0, i - 0.04, p[i], { colour: "blue", fill: 0.3, width: 1.5 });
        bars.rectangle(i + 0.04, 0, i + 0.38, q[i], { colour: "orange", fill: 0.1, width: 1.5, dash: "dashed" });
      });
      bars.text("p", -0.21, p[0], { colour: "blue", italic: true, size: 17, dy: -16 });
      bars.text("q", 0.21, q[0], { colour: "orange", italic: true, size: 17, dy: -16 });

      areas.yRange = [0, 1.12 * Math.max(4, ...best, ...used)];
      areas.begin();
      let left = 0;
      symbols.forEach((symbol, i) => {
        const right = left + p[i], width = areas.px(right) - areas.px(left);
        areas.rectangle(left, 0, right, best[i], { colour: "blue", fill: 0.3, width: 1.25 });
        if (used[i] > best[i]) areas.rectangle(left, best[i], right, used[i], { colour: "pink", fill: 0.35, width: 0 });
        areas.rectangle(left, 0, right, used[i], { colour: "orange", width: 2, dash: "dashed" });
        if (width > 16) areas.text(symbol, left + p[i] / 2, 0, { dy: -8, halo: false });
        // KL is the area marked + less the area marked −.
        const tall = areas.py(best[i]) - areas.py(used[i]);
        const sign = tall > 0 ? "+" : "−", middle = (best[i] + used[i]) / 2;
        if (width > 16 && Math.abs(tall) > 18)
          areas.text(sign, left + p[i] / 2, middle, { size: 17, dy: 6, halo: false });
        left = right;
      });
      const entropy = crossEntropy(p, p), cross_entropy = crossEntropy(p, q);
      return { entropy, cross_entropy, kl: cross_entropy - entropy };
    };
  },
});

export default { render };
