// What the official client does with a served world: the whole way from a strategy to a closed position.
const CONTROL = "/hubs/control/v1", DATA = "/hubs/data/v1", EVENT = "/hubs/event/v1";

const number = (value) => Number(value); // decimals come as text in MessagePack
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function client({ connect }) {
  const [control, data, event] = [await connect(CONTROL), await connect(DATA), await connect(EVENT)];
  const call = async (method, args = {}) => {
    const answer = await control.invoke(method, args);
    if (answer.Status !== "Success") throw new Error(`${method}: ${answer.Status}: ${answer.Message}`);
    return answer.Data;
  };
  const ended = async (kind, JobId) => {
    for (;;) {
      const job = await call(`GetPreparePosition${kind}Status`, { JobId });
      if (job.Status === "Completed") return job.Result;
      if (job.Status === "Failed") throw new Error(job.Error);
      await sleep(20);
    }
  };
  const entry = (key, StrategyId) => call("StartPreparePositionEntry", {
    IdempotencyKey: key, PositionName: "calendar", StrategyId, BrokerAccountId: "PAPER-1",
    LegSelectionConstraint: "FullyUnique", Underlying: null, DataProvider: null,
  });
  const fills = (plan) => Object.fromEntries(Object.entries(plan.LegPrices).map(([name, prices]) => [name, { Price: prices.Mark }]));
  const stop = () => Promise.all([control.stop(), data.stop(), event.stop()]);
  return { control, data, event, call, ended, entry, fills, stop };
}

exports.client = client;

exports.trade = async (ctx) => {
  const { say, collect } = ctx;
  const { control, data, event, call, ended, entry, fills, stop } = await client(ctx);
  const heard = [];
  for (const name of ["OnPositionEntryPreparationCompleted", "OnPositionExitPreparationCompleted", "OnPositionUpdate", "OnLegUpdate"]) {
    event.on(name, (body) => heard.push([body.EventSeqId, name, body.Status ?? null, body.EventId]));
  }
  say("subscribed", (await event.invoke("SubscribeToStrategies", { Strategies: null })).Data);
  const before = (await event.invoke("GetLatestEventSeqId", {})).Data.LatestEventSeqId;
  say("agents", (await call("ListAgents")).Agents.map((agent) => [agent.Provider, agent.IsConnected]));
  say("accounts", (await call("ListAccounts")).Accounts.map((account) => account.BrokerAccountId));
  const cloned = await call("CreateStrategy", { StrategyDefinition: null, CloneStrategyId: 101, Name: "mine", ActiveOnAccounts: ["PAPER-1"] });
  const strategy = (await call("GetStrategy", { StrategyId: cloned.StrategyId })).Strategy;
  say("strategy", [strategy.Name, strategy.StrategyDefinition.Symbol, strategy.ActiveOnAccounts]);

  const plan = await ended("Entry", (await entry("prep-1", cloned.StrategyId)).JobId);
  say("allowed", [plan.EntryAllowed, Object.keys(plan.SelectedLegs), plan.LegGroups]);
  const args = { IdempotencyKey: "fill-1", BrokerAccountId: "PAPER-1", ExecPlanId: plan.ExecPlanId, QtyMultiplier: null, PaperLegFills: fills(plan) };
  const filled = await call("ApplyPaperFills", args);
  const again = await control.invoke("ApplyPaperFills", args);
  const other = await control.invoke("ApplyPaperFills", { ...args, PaperLegFills: { ...args.PaperLegFills, short_put: { Price: "1.00" } } });
  say("again", [again.Status, other.Status]);
  const record = await call("GetIdempotencyRecord", { IdempotencyKey: "fill-1" });
  say("record", [record.Operation, record.Status, record.LiveExecPlanId === plan.ExecPlanId, record.ResponseStatus]);

  const underlying = await collect(data.stream("StreamUnderlyingData", { Underlying: { Symbol: "SPX" }, Provider: "IBKR" }), 3);
  say("underlying", [underlying.end, underlying.items.every((item) => number(item.Prices.Bid) < number(item.Prices.Ask))]);
  const watched = { PositionId: filled.PositionId, IncludePosition: "All", IncludeLegs: "Prices", IncludeLegGroups: "PnL" };
  const position = await collect(data.stream("StreamPositionData", watched), 2);
  say("position", [position.end, Object.keys(position.items[0].LegPrices).length, position.items[0].LegGreeks, number(position.items[0].PositionGreeks.Mark.Theta) > 0]);

  const leave = await ended("Exit", (await call("StartPreparePositionExit", { IdempotencyKey: "prep-2", PositionId: filled.PositionId, DataProvider: null })).JobId);
  await call("ApplyPaperFills", { IdempotencyKey: "fill-2", BrokerAccountId: "PAPER-1", ExecPlanId: leave.ExecPlanId, QtyMultiplier: null, PaperLegFills: fills(leave) });
  const found = await call("GetPosition", { PositionId: filled.PositionId });
  say("closed", [found.Position.State, found.Legs.every((leg) => leg.ClosedAt !== null)]);
  const account = (await call("GetAccount", { BrokerAccountId: "PAPER-1" })).Account;
  say("cash", number(account.Cash) === 250000 + number(found.PositionPnLs.Realized));

  while (heard.length < 8) await sleep(10);
  say("heard", heard.map(([, name, status]) => [name, status]));
  const replay = [];
  for (let token = null, more = true; more; more = token !== null) {
    const page = (await event.invoke("GetEventsSince", { EventSeqId: before, Limit: 3, ContinuationToken: token })).Data;
    replay.push(...page.Events);
    token = page.ContinuationToken;
  }
  say("replayed", JSON.stringify(replay.map((row) => [row.EventSeqId, row.Event.EventId])) === JSON.stringify(heard.map(([id, , , eventId]) => [id, eventId])));
  await stop();
};

// Prepares and fills, and says so the moment it knows; the server is killed right after.
exports.enter = async (ctx) => {
  const { say } = ctx;
  const { call, ended, entry, fills } = await client(ctx);
  const plan = await ended("Entry", (await entry("prep-1", 101)).JobId);
  const filled = await call("ApplyPaperFills", { IdempotencyKey: "fill-1", ExecPlanId: plan.ExecPlanId, PaperLegFills: fills(plan) });
  say("filled", filled.PositionId);
};

// After the restart: everything that was acknowledged is there.
exports.find = async (ctx) => {
  const { say } = ctx;
  const { control, event, call, stop } = await client(ctx);
  const record = await call("GetIdempotencyRecord", { IdempotencyKey: "fill-1" });
  say("record", [record.Status, JSON.parse(record.ResponseData).PositionId]);
  const positions = (await call("ListPositions", { LiveExecPlanId: record.LiveExecPlanId })).Positions;
  say("positions", positions.map((position) => [position.Id, position.State]));
  const again = await control.invoke("ApplyPaperFills", { IdempotencyKey: "fill-1", ExecPlanId: record.LiveExecPlanId, PaperLegFills: {} });
  say("again", again.Status);
  const events = (await event.invoke("GetEventsSince", { EventSeqId: 0 })).Data.Events;
  say("events", events.map((row) => row.EventType));
  await stop();
};
