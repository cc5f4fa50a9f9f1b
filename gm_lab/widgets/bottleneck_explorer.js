const render = figure({
  state: ["size", "image"],
  describe: ({ size, error, pca_error, mean_error, pca_mean_error }) =>
    `${size} numbers: error of this image ${fixed(error)} by the autoencoder, ${fixed(pca_error)} by PCA; ` +
    `mean errors ${fixed(mean_error)} and ${fixed(pca_mean_error)}.`,
  build(f) {
    const sizes = f.get("sizes"), errors = f.get("errors"), shape = f.get("image_shape"), count = shape[0] * shape[1];
    const images = cut(bytes(f.get("pixels")), count), n = f.get("limits").image[1] + 1;
    const kinds = [["reconstructions", "blue", "solid", "circle"], ["pca", "orange", "dashed", "square"]];
    const row = f.row(), left = f.column(row, 340);
    const show = pictures(f, left, {
      original: ["original", "ink"], reconstructions: ["● autoencoder", "blue"], pca: ["■ PCA", "orange"],
    }, shape);
    thumbnails(f, left, { trait: "image", label: "Image", images: images.slice(0, n), shape });
    const plot = f.plot(row, {
      label: "Mean errors of the autoencoder and of PCA against the code size",
      basis: 290, height: 260, bottom: 50, tickGap: 13,
      xRange: [-0.3, sizes.length - 0.7], xTicks: sizes.map((size, i) => [i, `${size}`]), jump: true,
      yRange: [0, 1.1 * Math.max(...errors.reconstructions, ...errors.pca, 1e-9)],
      xLabel: "code size", yLabel: "mean squared error of an image",
    });
    plot.handle({
      label: "Code size", shape: "diamond gm-ring", step: [1, 1], value: () => f.get("size"),
      at: () => [sizes.indexOf(f.get("size")), 0],
      move: (x) => f.set("size", sizes[clamp(Math.round(x), 0, sizes.length - 1)]),
    });
    const controls = f.row();
    f.slider(controls, { trait: "size", symbol: "code size", label: "Code size", values: sizes, digits: 0 });

    return () => {
      const [size, image] = [f.get("size"), f.get("image")], at = sizes.indexOf(size);
      const own = Object.fromEntries(kinds.map(([kind]) => [kind, f.get("image_errors")[kind][at][image]]));
      show.original(images[image], `${count} pixels`);
      kinds.forEach(([kind], i) => {
        const pixels = images[n * (1 + i * sizes.length + at) + image];
        show[kind](pixels, `error <b>${fixed(own[kind])}</b>`);
      });
      const places = sizes.map((_, i) => i);
      plot.begin();
      plot.segment(at, 0, at, plot.yRange[1], { alpha: 0.5 });
      for (const [kind, colour, dash, shape] of kinds) {
        plot.curve(places, errors[kind], { colour, dash });
        places.forEach((i) => plot.mark(i, errors[kind][i], shape, { colour, size: i === at ? 6 : 3 }));
      }
      const [mean_error, pca_mean_error] = kinds.map(([kind]) => errors[kind][at]);
      return { size, error: own.reconstructions, pca_error: own.pca, mean_error, pca_mean_error };
    };
  },
});

export default { render };
