// What the official client does on a broker account of a served world: listed, cloned, prepared, sent, cancelled, filled, adjusted
// on a signal, left, and every stream.
const { client } = require("./world.cjs");
const EVENT = "/hubs/event/v1";
const ACCOUNT = "IB-1", KEY = "true -- close the shorts";
const CALLBACKS = ["OnEntrySignal", "OnExitSignal", "OnAdjustmentSignal", "OnError", "OnOrderUpdate", "OnPositionUpdate", "OnLegUpdate", "OnAgentStatus",
  ...["Entry", "Exit", "Adjustment"].flatMap((kind) => [`OnPosition${kind}PreparationCompleted`, `OnPosition${kind}PreparationFailed`])];

const number = (value) => Number(value); // decimals come as text in MessagePack
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// Onto the tick of a package, at a price that is `more` worse for who buys.
const limit = (price, more) => (Math.round((number(price) + more) * 20) / 20).toFixed(2);

async function whole(call, method, items, args = {}) {
  const rows = [];
  let ContinuationToken = null;
  do {
    const page = await call(method, { Limit: 2, ...args, ContinuationToken });
    rows.push(...page[items]);
    ContinuationToken = page.ContinuationToken;
  } while (ContinuationToken !== null);
  return rows;
}

exports.order = async (ctx) => {
  const { say, collect, connect } = ctx;
  const { control, data, event, call, ended, stop } = await client(ctx);
  const heard = [];
  for (const name of CALLBACKS) event.on(name, (body) => heard.push([name, body]));
  const hear = async (what, found) => {
    for (;;) {
      const one = heard.find(([name, body]) => name === what && found(body));
      if (one) return one[1];
      await sleep(10);
    }
  };
  await event.invoke("SubscribeToStrategies", { Strategies: null });
  const before = (await event.invoke("GetLatestEventSeqId", {})).Data.LatestEventSeqId;

  // Strategies, page by page; a clone that is renamed and made active.
  say("strategies", (await whole(call, "ListStrategies", "Strategies")).map((row) => row.Id));
  const { StrategyId } = await call("CreateStrategy", { StrategyDefinition: null, CloneStrategyId: 104, Name: "mine", ActiveOnAccounts: [] });
  await call("RenameStrategy", { StrategyId, Name: "ours" });
  await call("UpdateStrategy", { StrategyId, StrategyDefinition: null, ActiveOnAccounts: [ACCOUNT] });
  say("active", (await whole(call, "ListStrategies", "Strategies", { ActiveOnAccounts: [ACCOUNT] })).map((row) => [row.Id, row.Name]));

  // One job is cancelled, another makes the plan.
  const prepare = (key) => call("StartPreparePositionEntry", {
    IdempotencyKey: key, PositionName: "condor", StrategyId, BrokerAccountId: ACCOUNT, LegSelectionConstraint: "FullyUnique", Underlying: null, DataProvider: null,
  });
  const first = await prepare("prep-1");
  say("cancelled job", (await call("CancelPreparePositionEntry", { IdempotencyKey: "stop-1", JobId: first.JobId })).Status);
  const plan = await ended("Entry", (await prepare("prep-2")).JobId);
  say("plan", [plan.EntryAllowed, plan.LegGroups]);

  // An order that rests at the near side is cancelled; one beyond the far side fills.
  const order = (key, of, group, LimitPrice) => ({
    IdempotencyKey: key, ReplacesOrder: null, BrokerAccountId: ACCOUNT, ExecPlanId: of.ExecPlanId, QtyMultiplier: null, LegGroupId: group,
    LegGroupOrder: { OrderType: LimitPrice === null ? "Market" : "Limit", TimeInForce: "DAY", LimitPrice, StopPrice: null, LegNames: null },
  });
  const send = (...args) => call("SendOrder", order(...args)).then((answer) => answer.LiveOrderId);
  const state = (id, wanted) => hear("OnOrderUpdate", (body) => body.OrderId === id && body.State === wanted);
  const resting = await send("send-1", plan, 1, limit(plan.LegGroupPrices[1].Bid, 0));
  await state(resting, "Submitted");
  await call("CancelOrder", { IdempotencyKey: "cancel-1", LiveOrderId: resting });
  await state(resting, "Cancelled");
  const entering = order("send-2", plan, 1, limit(plan.LegGroupPrices[1].Ask, 0.5));
  const entered = (await call("SendOrder", entering)).LiveOrderId;
  say("again", [(await control.invoke("SendOrder", entering)).Status, (await control.invoke("SendOrder", { ...entering, LegGroupId: 2 })).Status]);
  await state(entered, "Filled");
  say("orders", (await whole(call, "ListOrders", "Orders", { ExecPlanId: plan.ExecPlanId })).map((row) => [row.State, row.Side, number(row.Qty), number(row.CumQty)]));
  const position = (await call("ListPositions", { LiveExecPlanId: plan.ExecPlanId })).Positions[0];
  const legs = await whole(call, "ListLegs", "Legs", { LivePositionId: position.Id });
  say("legs", legs.map((leg) => [leg.Name, number(leg.Qty)]));
  const executions = await whole(call, "ListExecutions", "Executions", { LiveOrderId: entered });
  const several = (await call("GetExecutions", { ExecutionIds: executions.map((row) => row.Id) })).Executions;
  say("executions", [executions.length, JSON.stringify(several) === JSON.stringify(executions)]);

  // Every stream of the Data Hub, two items each, then cancelled.
  const contracts = legs.map((leg) => leg.LiveContract), Provider = "IBKR";
  const streams = {
    StreamPositionData: { PositionId: position.Id, IncludePosition: "All", IncludeLegs: "PnL", IncludeLegGroups: "None" },
    StreamLegData: { LegId: legs[0].Id, Include: "Prices, PnL", PriceFields: "Mark" },
    StreamLegsData: { LegIds: legs.map((leg) => leg.Id), Include: "Greeks" },
    StreamUnderlyingData: { Underlying: { Symbol: "SPX" }, Provider },
    StreamContractData: { Contract: contracts[0], Include: "Prices", Provider },
    StreamComboContractsData: { Contracts: contracts, Include: "All", Provider },
  };
  for (const [name, args] of Object.entries(streams)) {
    const { items, end } = await collect(data.stream(name, args), 2);
    say(name, [end, items.length, Object.keys(items[1]).filter((block) => items[1][block] !== null)]);
  }

  // The signal is on: who connects now is told at once. Its adjustment closes the shorts at the market.
  const signal = await hear("OnAdjustmentSignal", (body) => body.PositionId === position.Id && body.State === "On");
  say("signal", [signal.Condition.Condition, signal.Condition.Result]);
  const told = await new Promise((resolve) => {
    connect(EVENT, {}, (hub) => hub.on("OnAdjustmentSignal", (body) => resolve([hub, body])));
  });
  say("told at connecting", told[1].EventId === signal.EventId);
  await told[0].stop();
  const adjust = { IdempotencyKey: "prep-3", PositionId: position.Id, Operation: "RemoveLegs", Condition: KEY, LegSelectionConstraint: null, DataProvider: null };
  const adjusting = await ended("Adjustment", (await call("StartPreparePositionAdjustment", adjust)).JobId);
  say("adjustment", [adjusting.AdjustmentAllowed, adjusting.LegGroups]);
  await state(await send("send-3", adjusting, 1, null), "Filled");
  await hear("OnPositionUpdate", (body) => body.Status === "Adjusted");

  // What is left is closed; then the signal is off, and the strategy can go.
  const leaving = await ended("Exit", (await call("StartPreparePositionExit", { IdempotencyKey: "prep-4", PositionId: position.Id, DataProvider: null })).JobId);
  say("exit", Object.keys(leaving.PositionLegs));
  await state(await send("send-4", leaving, 1, null), "Filled");
  await hear("OnPositionUpdate", (body) => body.Status === "Closed");
  const closed = await call("GetPosition", { PositionId: position.Id });
  say("closed", [closed.Position.State, closed.Legs.every((leg) => leg.ClosedAt !== null)]);
  await hear("OnAdjustmentSignal", (body) => body.State === "Off");
  const cash = number((await call("GetAccount", { BrokerAccountId: ACCOUNT })).Account.Cash);
  say("cash", Math.abs(cash - 250000 - number(closed.PositionPnLs.Realized)) < 0.011);
  await call("DeleteStrategy", { StrategyId, Force: null });
  say("deleted", (await control.invoke("GetStrategy", { StrategyId })).Status);

  const replay = await whole(async (method, args) => (await event.invoke(method, args)).Data, "GetEventsSince", "Events", { EventSeqId: before, Limit: 5 });
  const ids = heard.map(([, body]) => body.EventId);
  say("replayed", replay.slice(0, ids.length).every((row, index) => row.Event.EventId === ids[index]));
  await stop();
};
