// What the official client does with the hand-written hub of serve_echo.py.
const HUB = "/hubs/echo";

exports.calls = async ({ connect, say, failed }) => {
  const hub = await connect(HUB);
  say("text", await hub.invoke("Echo", "héllo \u001f"));
  say("tree", await hub.invoke("Echo", { A: [1, -7, null, true], B: { C: "x" } }));
  say("null", await hub.invoke("Null"));
  say("void", await hub.invoke("Nothing"));
  say("money", await hub.invoke("Money"));
  say("by leg", await hub.invoke("ByLeg"));
  say("refused", await failed(hub.invoke("Fail", "Order 7 is not yours.")));
  say("crashed", await failed(hub.invoke("Crash")));
  say("unknown", await failed(hub.invoke("NoSuchMethod", 1)));
  say("not a stream", await failed(new Promise((ok, bad) => hub.stream("Echo", 1).subscribe({ next: ok, complete: ok, error: bad }))));
  say("is a stream", await failed(hub.invoke("Count", 3)));
  const large = "x".repeat(200_000);
  say("200 KB", (await hub.invoke("Echo", large)) === large);
  say("in order", await Promise.all([1, 2, 3, 4, 5].map((n) => hub.invoke("Echo", n))));
  await hub.send("Remember", "sent without an answer");
  say("remembered", (await hub.invoke("Remembered")).at(-1));
  await hub.stop();
  say("stopped", hub.state);
};

exports.callbacks = async ({ connect, say }) => {
  const hub = await connect(HUB);
  const seen = [];
  hub.on("OnTick", (n, text) => seen.push([n, text]));
  say("answer", await hub.invoke("CallMe", 3));
  say("seen", seen);
  say("many", await hub.invoke("CallMe", 2000));
  say("in order", seen.slice(3).every(([n], index) => n === index));
  say("count", seen.length);
  await hub.stop();
};

exports.streams = async ({ connect, say, collect, signalr, failed }) => {
  const hub = await connect(HUB);
  say("complete", await collect(hub.stream("Count", 3)));
  say("error", await collect(hub.stream("CountThenFail", 2)));
  say("crash", await collect(hub.stream("CountThenCrash", 1)));
  say("unknown", await collect(hub.stream("NoSuchStream")));
  say("cancelled", await collect(hub.stream("Forever"), 2));
  say("closed at the hub", await hub.invoke("StreamClosed"));
  const [one, two] = await Promise.all([collect(hub.stream("Count", 2)), collect(hub.stream("Count", 4))]);
  say("side by side", [one.items.length, two.items.length]);
  const upload = new signalr.Subject();
  say("upload", await failed(hub.invoke("Upload", upload)));
  say("still alive", await hub.invoke("Echo", 1));
  await hub.stop();
};

exports.reconnects = async ({ connection, say, failed }) => {
  for (const [how, call] of [["cut", ["Abort"]], ["close, may reconnect", ["Goodbye", true]], ["close", ["Goodbye", false]]]) {
    const hub = connection(HUB, { reconnect: [0, 50, 50] });
    const over = new Promise((resolve) => {
      hub.onreconnected(() => resolve("reconnected"));
      hub.onclose((error) => resolve(`closed: ${error ? error.message : "no error"}`));
    });
    await hub.start();
    const before = hub.connectionId;
    const pending = failed(hub.invoke(...call));
    say(how, await over);
    say("the call", typeof (await pending) === "string" ? "failed" : "answered");
    say("a new id", hub.connectionId !== before);
    if (hub.state === "Connected") say("works again", await hub.invoke("Echo", "again"));
    await hub.stop();
  }
};

exports.entrance = async ({ connection, say, failed, signalr }) => {
  const skipping = connection(HUB, { skipNegotiation: true });
  await skipping.start();
  say("without negotiation", await skipping.invoke("Echo", 1));
  await skipping.stop();
  const nobody = connection(HUB, { accessTokenFactory: () => "" });
  say("without a token", (await failed(nobody.start())).includes("401"));
  const nowhere = connection("/hubs/nowhere");
  say("no such hub", (await failed(nowhere.start())).includes("404"));
};
