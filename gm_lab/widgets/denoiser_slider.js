const LEVELS = grid(0, 1, 26);
const corrupt = (clean, noise, level) => clean.map((value, i) => value + level * noise[i]);
const rootMeanSquare = (x, y) => Math.sqrt(average(Array.from(x, (value, i) => (value - y[i]) ** 2)));

const render = figure({
  state: ["level", "image"],
  describe: ({ level, noisy_error, denoised_error }) =>
    `Noise level ${fixed(level)}: error ${fixed(noisy_error, 3)} noisy, ${fixed(denoised_error, 3)} denoised.`,
  build(f) {
    const shape = f.get("image_shape"), count = shape[0] * shape[1];
    const row = f.row(), left = f.column(row, 340), network = unpack(f.get("layers"), f.get("weights"));
    const [clean, noise] = ["clean", "noise"].map((name) => cut(halves(f.get(name)), count));
    const show = pictures(f, left, {
      clean: ["clean", "ink"], noisy: ["■ noisy", "orange"], denoised: ["● denoised", "blue"],
    }, shape);
    thumbnails(f, left, { trait: "image", label: "Image", images: clean, shape });
    const plot = f.plot(row, {
      label: "Error of the noisy and of the denoised image against the noise level",
      basis: 290, height: 260, bottom: 50, tickGap: 13,
      xRange: [0, 1], xLabel: "noise level", yLabel: "error of a pixel (root mean square)", jump: true,
    });
    plot.handle({
      label: "Noise level", shape: "diamond gm-ring", step: [0.01, 0],
      at: () => [f.get("level"), 0], move: (x) => f.set("level", x),
    });
    f.slider(f.row(), { trait: "level", symbol: "noise level", label: "Noise level" });

    const both = (image, level) => {
      const noisy = corrupt(clean[image], noise[image], level), denoised = apply(network, noisy);
      const [noisy_error, denoised_error] = [noisy, denoised].map((x) => rootMeanSquare(x, clean[image]));
      return { noisy, denoised, noisy_error, denoised_error };
    };
    let image, curves;

    return () => {
      const level = f.get("level"), start = performance.now();
      if (image !== f.get("image")) [image, curves] = [f.get("image"), []];
      // The curves of a large network take more than one frame.
      while (curves.length < LEVELS.length && performance.now() - start < 3)
        curves.push(both(image, LEVELS[curves.length]));
      if (curves.length < LEVELS.length) f.redraw();
      const { noisy, denoised, noisy_error, denoised_error } = both(image, level);
      show.clean(clean[image], "");
      show.noisy(noisy, `error <b>${fixed(noisy_error, 3)}</b>`);
      show.denoised(denoised, `error <b>${fixed(denoised_error, 3)}</b>`);
      const [noisyCurve, denoisedCurve] = ["noisy_error", "denoised_error"].map((key) => curves.map((now) => now[key]));
      plot.yRange = [0, 1.1 * Math.max(1, ...noisyCurve, ...denoisedCurve)]; // the noisy curve ends near 1
      plot.begin();
      plot.segment(level, 0, level, plot.yRange[1], { alpha: 0.5 });
      const levels = LEVELS.slice(0, curves.length);
      plot.curve(levels, noisyCurve, { colour: "orange", dash: "dashed" });
      plot.curve(levels, denoisedCurve, { colour: "blue" });
      plot.mark(level, noisy_error, "square", { colour: "orange" });
      plot.mark(level, denoised_error, "circle", { colour: "blue" });
      return { level, noisy_error, denoised_error, denoised: Array.from(denoised) };
    };
  },
});

export default { render };
