const ACTIVATIONS = {
  relu: (value) => Math.max(0, value),
  silu: (value) => value / (1 + Math.exp(-value)),
  tanh: Math.tanh,
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
};
const COLOURS = ["blue", "orange", "green", "pink", "yellow", "sky", "grey"];

// IEEE half precision: sign, 5 bits of exponent, 10 bits of fraction.
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
}

const halves = (view) =>
  Float32Array.from({ length: view.byteLength / 2 }, (_, i) => half(view.getUint16(2 * i, true)));

// Layers as Python packed them: [in, out] takes out·in weights (row by row) and out biases; a word is an activation.
function unpack(layers, view) {
  const numbers = halves(view);
  let offset = 0;
  const take = (count) => numbers.subarray(offset, (offset += count));
  return layers.map((layer) => {
    if (typeof layer === "string") return (x) => x.map(ACTIVATIONS[layer]);
    const [size, out] = layer, weight = take(size * out), bias = take(out);
    return (x) => {
      const y = Float32Array.from(bias);
      for (let i = 0; i < out; i++) for (let j = 0; j < size; j++) y[i] += weight[i * size + j] * x[j];
      return y;
    };
  });
}

const decode = (network, z) => network.reduce((x, layer) => layer(x), Float32Array.from(z));

const render = figure({
  state: ["z"],
  inputs: ["layers", "weights", "points", "labels"],
  describe: ({ z }) => `z is ${fixed(z[0])}, ${fixed(z[1])}.`,
  build(f) {
    const row = f.row(), extent = f.get("extent"), [height, width] = f.get("image_shape");
    const plane = f.plot(row, {
      label: "The latent plane with the encoded data", square: true, jump: true, basis: 300,
      xRange: [-extent, extent], yRange: [-extent, extent], yCount: 6, xLabel: "z₁", yLabel: "z₂",
    });
    plane.handle({
      label: "Latent z", shape: "diamond gm-ring", axis: "xy", step: [extent / 50, extent / 50],
      at: () => f.get("z"), move: (...place) => f.set("z", place),
    });
    const side = f.element("div", "gm-plot gm-image", row, { style: "flex-basis:250px" });
    const canvas = f.element("canvas", "", side, {
      width, height, role: "img", "aria-label": "The decoded image", style: `aspect-ratio:${width}/${height}`,
    });
    const context = canvas.getContext("2d"), image = context.createImageData(width, height);
    const caption = f.element("p", "gm-caption", side);
    f.footer = side;
    let network, weights, places, points;

    return () => {
      if (weights !== f.get("weights")) network = unpack(f.get("layers"), (weights = f.get("weights")));
      if (points !== f.get("points")) places = halves((points = f.get("points")));
      const z = f.get("z"), labels = f.get("labels");
      plane.begin();
      plane.inside(() => {
        plane.segment(-extent, z[1], extent, z[1], { alpha: 0.35, dash: "dotted" });
        plane.segment(z[0], -extent, z[0], extent, { alpha: 0.35, dash: "dotted" });
        plane.cached([points, labels], () => {
          const distinct = [...new Set(labels)].sort();
          for (let i = 0; 2 * i < places.length; i++) {
            const [x, y] = [plane.px(places[2 * i]), plane.py(places[2 * i + 1])];
            const colour = COLOURS[Math.max(0, distinct.indexOf(labels[i])) % COLOURS.length];
            plane.write(labels[i] ?? "•", x, y, { colour, size: 11, baseline: "middle" });
          }
        });
      });
      const pixels = decode(network, z);
      pixels.forEach((value, i) => image.data.set([...Array(3).fill(255 * (1 - clamp(value, 0, 1))), 255], 4 * i));
      context.putImageData(image, 0, 0);
      caption.textContent = `decoded image at z = (${fixed(z[0])}, ${fixed(z[1])})`;
      return { z, image: Array.from(pixels) };
    };
  },
});

export default { render };
