// Asks the net, which is a WebAssembly module beside the page, what a drawing shows.
const loaded = fetch("digits.wasm")
  .then((response) => response.arrayBuffer())
  .then((bytes) => WebAssembly.instantiate(bytes))
  .then(({ instance }) => instance.exports);
loaded.catch(() => {}); // `predict` says it.

async function predict(width, height, grey) {
  return ask_net(await loaded, width, height, grey);
}

function ask_net(net, width, height, grey) {
  const pixels = net.pixels(grey.length);
  if (!pixels) throw new Error("The drawing is too large.");
  // A new view each time: memory that has grown is another buffer.
  new Uint8Array(net.memory.buffer, pixels, grey.length).set(grey);
  const address = net.predict(width, height);
  if (!address) throw new Error("Nothing is drawn.");
  const [probabilities, input] = [[0, 10], [10, 64]].map(([first, count]) =>
    Array.from(new Float32Array(net.memory.buffer, address + 4 * first, count)));
  return { class: probabilities.indexOf(Math.max(...probabilities)), probabilities, input };
}

// The milliseconds of one prediction: the median of many, of a drawing as the page sends it.
async function measure() {
  const net = await loaded, side = 112, grey = new Uint8Array(side * side).fill(255);
  for (let y = 20; y < 92; y++) for (let x = 50; x < 58; x++) grey[side * y + x] = 0;
  const times = [];
  for (let i = 0; i < 201; i++) {
    const start = performance.now();
    ask_net(net, side, side, grey);
    times.push(performance.now() - start);
  }
  return { first: times[0], median: times.sort((a, b) => a - b)[100], longest: times[200] };
}
