// Runs one scenario with the official JavaScript client and prints what it saw, one JSON line each: {"saw": NAME, "value": …}.
//
//   node driver.cjs URL PROTOCOL FILE.NAME [ARGUMENTS as JSON]
//
// PROTOCOL is json or messagepack; scenarios/FILE.cjs exports NAME(ctx). Exit code 1: the scenario threw (its error is the
// last line); 2: it did not end within its time.
const signalr = require("@microsoft/signalr");
const { MessagePackHubProtocol } = require("@microsoft/signalr-protocol-msgpack");

const [url, protocol, scenario, args] = process.argv.slice(2);
const [file, name] = scenario.split(".");
const LIMIT_MS = 30_000;

function say(saw, value) {
  const plain = (_, v) => (typeof v === "bigint" ? v.toString() : v);
  process.stdout.write(JSON.stringify({ saw, value: value === undefined ? "undefined" : value }, plain) + "\n");
}

function connection(path, options = {}) {
  const { reconnect, ...http } = options;
  let builder = new signalr.HubConnectionBuilder()
    .withUrl(url + path, { accessTokenFactory: () => "any", transport: signalr.HttpTransportType.WebSockets, ...http })
    .configureLogging(signalr.LogLevel.None);
  if (protocol === "messagepack") builder = builder.withHubProtocol(new MessagePackHubProtocol());
  if (reconnect) builder = builder.withAutomaticReconnect(reconnect);
  return builder.build();
}

// `prepare(hub)`: for handlers of what comes right after connecting.
async function connect(path, options = {}, prepare = () => {}) {
  const made = connection(path, options);
  prepare(made);
  await made.start();
  return made;
}

// The items of a stream until it ends, or until `take` came, when it is cancelled.
function collect(stream, take = Infinity) {
  return new Promise((resolve) => {
    const items = [];
    const subscription = stream.subscribe({
      next: (item) => {
        items.push(item);
        if (items.length === take) {
          subscription.dispose();
          resolve({ items, end: "cancelled" });
        }
      },
      complete: () => resolve({ items, end: "complete" }),
      error: (error) => resolve({ items, end: error.message }),
    });
  });
}

const failed = (promise) => promise.then((value) => ({ value }), (error) => error.message);

setTimeout(() => { say("overdue", LIMIT_MS); process.exit(2); }, LIMIT_MS).unref();
const context = { url, protocol, args: args ? JSON.parse(args) : {}, say, connection, connect, collect, failed, signalr };
require(`./scenarios/${file}.cjs`)[name](context).then(
  () => process.exit(0),
  (error) => { say("threw", String(error.stack || error)); process.exit(1); },
);
