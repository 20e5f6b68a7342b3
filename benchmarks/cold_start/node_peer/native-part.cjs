// In the place of the runtime client's part in C++, which is compiled where it is installed: it
// talks to the Runtime API, over one connection, and no dearer than that part does.
const net = require("node:net");

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const connection = net.connect({ host, port: Number(port), noDelay: true });
let received = Buffer.alloc(0);
let answered;
let last = Promise.resolve();

connection.on("data", (piece) => {
  received = received.length ? Buffer.concat([received, piece]) : piece;
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return;
  const [, ...lines] = received.toString("latin1", 0, end).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const whole = end + 4 + Number(headers["content-length"]);
  if (received.length < whole) return;
  const bodyJson = received.toString("utf8", end + 4, whole);
  received = received.subarray(whole);
  answered({ bodyJson, headers });
});

function ask(method, path, body = "") {
  last = last.then(
    () =>
      new Promise((resolve) => {
        answered = resolve;
        connection.write(
          `${method} /2018-06-01/runtime/invocation/${path} HTTP/1.1\r\nHost: ${host}\r\n` +
            `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
      }),
  );
  return last;
}

require.extensions[".node"] = (module) => {
  module.exports = {
    initializeClient() {},
    next: () => ask("GET", "next"),
    done: (id, body) => ask("POST", `${id}/response`, body),
    error: (id, body) => ask("POST", `${id}/error`, body),
  };
};
