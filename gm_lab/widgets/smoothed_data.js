const density = (x, train, std) => average(train.map((centre) => normal(x, centre, std)));
const meanLogDensity = (points, train, std) =>
  average(points.map((x) => logMeanExp(train.map((centre) => logNormal(x, centre, std)))));

// A fixed grid would step over the spikes of a small std, so each point brings a grid of its own.
const bump = (centre, std) => grid(centre - 4 * std, centre + 4 * std, 33);
const spikyGrid = (train, std) =>
  [...grid(-4, 4, 241), ...train.flatMap((centre) => bump(centre, std))].sort((a, b) => a - b);

const render = figure({
  state: ["train", "std"],
  inputs: ["held_out"],
  describe: ({ train_mean, held_out_mean, std }) =>
    `Standard deviation ${fixed(std)}: training ${fixed(train_mean)}, held-out ${fixed(held_out_mean)} nats a point.`,
  build(f) {
    const row = f.row();
    const left = f.plot(row, {
      label: "The smoothed density over the training points", basis: 320, height: 290, bottom: 62, tickGap: 13,
      xRange: [-4, 4], yLabel: "density",
    });
    const right = f.plot(row, {
      label: "Mean log-density of training and held-out points against the standard deviation", basis: 230, height: 268,
      xRange: [0.01, 3], xLog: true, xTicks: [0.01, 0.03, 0.1, 0.3, 1, 3].map((v) => [v, `${v}`]),
      yRange: [-5, 2.2], xLabel: "σ", yLabel: "mean log-density (nats)",
    });
    f.get("train").forEach((_, i) =>
      left.handle({
        label: `Training point ${i + 1}`, colour: "blue",
        at: () => [f.get("train")[i], 0], move: (x) => f.set("train", x, i),
      }),
    );
    const curve = (points, std) => meanLogDensity(points, f.get("train"), std);
    right.handle({
      label: "Standard deviation", colour: "orange", shape: "diamond",
      at: () => [f.get("std"), clamp(curve(f.get("held_out"), f.get("std")), -5, 2.2)],
      move: (x) => f.set("std", x),
    });
    const controls = f.row();
    f.slider(controls, { trait: "std", symbol: "<i>σ</i>", label: "Standard deviation", log: true, digits: 3 });
    f.readout(controls, {
      train_mean: ["● training", "blue", "nats"],
      held_out_mean: ["▲ held-out", "orange", "nats"],
    }, { digits: 2 });

    return () => {
      const [train, heldOut, std] = ["train", "held_out", "std"].map((name) => f.get(name));
      const xs = spikyGrid(train, std), ys = xs.map((x) => density(x, train, std));
      left.yRange = [0, 1.12 * Math.max(0.4, ...ys)];
      left.begin();
      left.inside(() => {
        for (const centre of train) {
          const kernel = bump(centre, std).map((x) => normal(x, centre, std) / train.length);
          left.curve(bump(centre, std), kernel, { width: 1, alpha: 0.3 });
        }
        left.area(xs, ys, { colour: "blue" });
        left.curve(xs, ys, { colour: "blue" });
      });
      for (const x of heldOut) {
        left.segment(x, 0, x, density(x, train, std), { colour: "orange", dash: "dotted", width: 1.5 });
        const [tip, foot] = [left.height - 24, left.height - 15];
        const triangle = [[left.px(x), tip], [left.px(x) - 5, foot], [left.px(x) + 5, foot]];
        left.line(triangle, { colour: "orange", fill: 1, close: true });
      }
      left.write("held-out", 2, left.height - 15, { align: "left", colour: "orange" });

      const stds = grid(Math.log(0.01), Math.log(3), 61).map(Math.exp);
      right.begin();
      right.inside(() => {
        right.segment(std, -5, std, 2.2, { alpha: 0.5 });
        right.curve(stds, stds.map((s) => curve(train, s)), { colour: "blue" });
        right.curve(stds, stds.map((s) => Math.max(-50, curve(heldOut, s))), { colour: "orange", dash: "dashed" });
      });
      const train_mean = curve(train, std), held_out_mean = curve(heldOut, std);
      right.mark(std, clamp(train_mean, -5, 2.2), "circle", { colour: "blue" });
      right.text("training", 0.05, curve(train, 0.05), { colour: "blue", align: "left", dx: 4, dy: -8 });
      right.text("held-out", 1.2, -3.6, { colour: "orange" });
      return { std, train_mean, held_out_mean };
    };
  },
});

export default { render };
