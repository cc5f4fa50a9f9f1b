// What some widgets carry with them: images and small dense networks.

const ACTIVATIONS = {
  relu: (value) => Math.max(0, value),
  silu: (value) => value / (1 + Math.exp(-value)),
  tanh: Math.tanh,
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
};

// IEEE half precision: sign, 5 bits of exponent, 10 bits of fraction.
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
}

const halves = (view) =>
  Float32Array.from({ length: view.byteLength / 2 }, (_, i) => half(view.getUint16(2 * i, true)));
const bytes = (view) => Float32Array.from({ length: view.byteLength }, (_, i) => view.getUint8(i) / 255);

// Layers as Python packed them: [in, out] takes out·in weights (row by row) and out biases; a word is an activation.
function unpack(layers, view) {
  const numbers = halves(view);
  let offset = 0;
  const take = (count) => numbers.subarray(offset, (offset += count));
  return layers.map((layer) => {
    if (typeof layer === "string") return (x) => x.map(ACTIVATIONS[layer]);
    const [size, out] = layer, weight = take(size * out), bias = take(out);
    return (x) => {
      const y = new Float32Array(out);
      for (let i = 0; i < out; i++) {
        let total = bias[i];
        for (let j = 0, row = i * size; j < size; j++) total += weight[row + j] * x[j];
        y[i] = total;
      }
      return y;
    };
  });
}

const apply = (network, x) => network.reduce((value, layer) => layer(value), Float32Array.from(x));

// A canvas for one image, in either theme ink on paper, 1 is black; or a photo, 1 is white. Returns what shows pixels.
function picture(f, parent, label, [height, width]) {
  const style = `aspect-ratio:${width}/${height}`;
  const canvas = f.element("canvas", "", parent, { width, height, role: "img", "aria-label": label, style });
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  const light = f.get("photo") ? (value) => clamp(value, 0, 1) : (value) => 1 - clamp(value, 0, 1);
  return (pixels) => {
    pixels.forEach((value, i) => image.data.set([...Array(3).fill(255 * light(value)), 255], 4 * i));
    context.putImageData(image, 0, 0);
  };
}

// Pictures side by side with captions; items is {name: [title, colour]}. Returns {name: show(pixels, caption)}.
function pictures(f, parent, items, shape) {
  const box = f.element("div", "gm-pictures", parent);
  return Object.fromEntries(
    Object.entries(items).map(([name, [title, colour]]) => {
      const item = f.element("div", "gm-picture", box);
      f.element("span", "gm-name", item, { style: `color:var(--gm-${colour}-text)` }, title);
      const show = picture(f, item, `The image: ${title}`, shape), caption = f.element("span", "gm-value", item);
      return [name, (pixels, text) => (show(pixels), (caption.innerHTML = text))];
    }),
  );
}

// A switch with one small picture for each value of the trait, 0 to n - 1.
function thumbnails(f, parent, { trait, label, images, shape }) {
  const buttons = f.choice(parent, { trait, label, options: images.map((_, i) => [i, ""]) });
  buttons[0].parentElement.classList.add("gm-thumbnails");
  buttons.forEach((button, i) => {
    button.setAttribute("aria-label", `${label} ${i + 1}`);
    picture(f, button, `${label} ${i + 1}`, shape)(images[i]);
  });
}

// The numbers of all images, cut into one array for each.
const cut = (numbers, pixels) =>
  Array.from({ length: numbers.length / pixels }, (_, i) => numbers.subarray(i * pixels, (i + 1) * pixels));

// ------------------------------------------------------------------------------------------- this widget
