const COLOURS = ["blue", "orange", "green", "pink", "yellow", "sky", "grey"];

// One plane and the image of its z. `prefix` names the traits of one model, `name` stands above the plane. Returns
// the function that draws both.
function latentPlane(f, row, { prefix = "", name = "" }) {
  const get = (trait) => f.get(prefix + trait), extent = get("extent"), shape = f.get("image_shape");
  const of = name && ` of ${name}`, parent = name ? f.column(row, 300) : row;
  const plane = f.plot(name ? f.row(parent) : row, {
    label: `The latent plane${of} with the encoded data`, square: true, jump: true, basis: 300,
    xRange: [-extent, extent], yRange: [-extent, extent], yCount: 6, xLabel: "z₁", yLabel: "z₂",
  });
  plane.handle({
    label: `Latent z${of}`, shape: "diamond gm-ring", axis: "xy", step: [extent / 50, extent / 50],
    at: () => get("z"), move: (...place) => f.set(`${prefix}z`, place),
  });
  const side = name
    ? f.element("div", "gm-beside", parent)
    : (f.footer = f.element("div", "gm-plot gm-image", parent, { style: "flex-basis:250px" }));
  const show = picture(f, side, `The decoded image${of}`, shape), caption = f.element("p", "gm-caption", side);
  let network, weights, places, points;

  return () => {
    if (weights !== get("weights")) network = unpack(get("layers"), (weights = get("weights")));
    if (points !== get("points")) places = halves((points = get("points")));
    const z = get("z"), labels = get("labels");
    plane.begin();
    if (name) plane.write(name, plane.px(0), 3, { colour: "ink", size: 15, baseline: "top" });
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
    const image = apply(network, z);
    show(image);
    caption.textContent = `decoded image at z\u00a0=\u00a0(${fixed(z[0])},\u00a0${fixed(z[1])})`;
    return { [`${prefix}z`]: z, [`${prefix}image`]: Array.from(image) };
  };
}

const place = (z) => `${fixed(z[0])}, ${fixed(z[1])}`;

// Home resets what `state` names, so the second z is there only with a second model.
const render = (host) =>
  figure({
    state: host.model.get("names").length ? ["z", "other_z"] : ["z"],
    inputs: ["layers", "weights", "points", "labels"].flatMap((name) => [name, `other_${name}`]),
    describe: ({ z, other_z }) => `z is ${place(z)}${other_z ? `; the other z is ${place(other_z)}` : ""}.`,
    build(f) {
      const row = f.row(), [first, second] = f.get("names");
      const planes = [latentPlane(f, row, { name: first })];
      if (second !== undefined) {
        planes.push(latentPlane(f, row, { prefix: "other_", name: second }));
        f.footer = f.row();
      }
      return () => Object.assign({}, ...planes.map((draw) => draw()));
    },
  })(host);

export default { render };
