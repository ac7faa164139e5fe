// The thread that computes: it holds the onnxruntime sessions and the optimizer, so that the main thread stays live for
// progress, signals and the tracker while a step runs.
import { openNativeSession, type BindingSet, type BoundSession, type SessionOptions } from "../ort/bound-session.ts";
import { loadCApi } from "../ort/c-api.ts";
import { openPackage } from "../ort/package.ts";
import { averagingWeight, type AveragingOptions } from "../optimizer/averaging.ts";
import { flushDenormals } from "./denormals.ts";
import { startAdamTeam, type AdamTeam } from "./adam-team.ts";
import { toBinding } from "./binding.ts";
import type { BindingKind, OpenRequest, Reply, Request, StartRequest, StepReply, StepRequest } from "./protocol.ts";

declare const self: Worker;

let memory: WebAssembly.Memory;
let options: SessionOptions;
let team: AdamTeam;
let averaging: AveragingOptions | undefined;
let open: (model: Uint8Array) => BoundSession | Promise<BoundSession>;
const programs = new Map<number, { session: BoundSession; sets: BindingSet[] }>();

async function chooseBinding(kind: BindingKind) {
  const api = kind === "package" ? null : loadCApi();
  if (api) {
    open = (model) => openNativeSession(api, model, options);
    return { binding: "native" as const, version: api.version };
  }
  if (kind === "native") throw new Error("the onnxruntime shared library cannot be loaded on this machine; use binding \"package\"");
  const { openPackageSession } = await import("../ort/package-session.ts");
  const { env } = await openPackage();
  open = (model) => openPackageSession(model, options);
  return { binding: "package" as const, version: env.versions.node ?? "unknown" };
}

async function start(request: StartRequest) {
  flushDenormals();
  memory = request.memory;
  options = { threads: request.threads, profilePrefix: request.profilePrefix };
  const chosen = await chooseBinding(request.binding);
  const { settings, averaging: kept, ...work } = request.optimizer;
  averaging = kept;
  team = await startAdamTeam({ memory, threads: request.threads, ...work }, settings);
  return chosen;
}

async function openProgram({ program, model, plans }: OpenRequest): Promise<null> {
  const session = await open(model);
  const sets = plans.map(({ inputs, outputs }) => session.bind(inputs.map(toBinding), outputs.map(toBinding)));
  programs.set(program, { session, sets });
  return null;
}

async function runProgram(program: number, plan: number): Promise<void> {
  const { session, sets } = programs.get(program)!;
  await session.run(sets[plan]);
}

async function step({ program, firstPlan, learningRates, losses, carries, ...request }: StepRequest): Promise<StepReply> {
  let { stepCount } = request;
  const outcomes: StepReply["outcomes"] = [];
  for (const [index, learningRate] of learningRates.entries()) {
    await runProgram(program, firstPlan + index);
    const [loss] = new Float32Array(memory.buffer, losses[index], 1);
    const gradNorm = team.gradNorm();
    const updated = Number.isFinite(gradNorm) && Number.isFinite(loss);
    if (updated) {
      team.update(learningRate, ++stepCount, gradNorm);
      const weight = averaging ? averagingWeight(averaging, stepCount) : 0;
      if (weight > 0) team.average(weight);
      for (const { from, to, length } of carries) new Uint8Array(memory.buffer).copyWithin(to, from, from + length * 4);
    }
    outcomes.push({ gradNorm, updated });
  }
  return { outcomes };
}

async function handle(request: Request) {
  switch (request.kind) {
    case "start":
      return start(request);
    case "open":
      return openProgram(request);
    case "run":
      await runProgram(request.program, request.plan);
      return null;
    case "step":
      return step(request);
    case "close":
      team.close();
      for (const { session } of programs.values()) session.close();
      return null;
  }
}

// One request at a time: a second one waits until the first has answered, also where the binding is asynchronous.
let last: Promise<unknown> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<Request & { id: number }>) => {
  last = last.then(async () => {
    let reply: Reply;
    try {
      reply = { id: data.id, value: await handle(data) };
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      reply = { id: data.id, failure: { name, message } };
    }
    self.postMessage(reply);
  });
};
