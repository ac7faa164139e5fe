// bun scripts/allo.ts --wandb_offline
// bun scripts/allo.ts --env_type GridRoom-16 --preset paper --num_gradient_steps 20000 --wandb_offline
// bun scripts/allo.ts --resume runs/room4/<run> --num_gradient_steps 16000
//
// Learns the smoothest eigenvectors of a gridworld's Laplacian, in order, by the augmented Lagrangian of "Proper Laplacian
// Representation Learning" (ICLR 2024). The loop computes and exports data; figures are drawn elsewhere.
import type { CommandContext } from "@cleanloop/cli";
import { defineCommand, EXIT, formatNumber, Progress, runCommand, signalExitCode, StopRequest, stopSignalOf, UsageError } from "@cleanloop/cli";
import { alloFlags } from "./allo/flags.ts";
import { version } from "./package.json" with { type: "json" };
import { outputPolicy, requireAvailable } from "./shared/output_policy.ts";

/** How a run ended, for tables and for --json. */
export interface AlloResult {
  state: "finished" | "killed";
  /** Null in the wandb-only modes, which keep no run directory. */
  run: string | null;
  tracker: string | null;
  /** Steps done, and those among them that were not finite and changed nothing. */
  steps: number;
  nonFiniteSteps: number;
  /** Of the loop in this process, exports included. */
  trainSeconds: number;
  stepsPerSecond: number;
  /** Scores of the features at the end, see the keys of the metrics. */
  scores: Record<string, number>;
}

export const alloCommand = defineCommand({
  name: "allo",
  version,
  summary: "Learns the smoothest eigenvectors of a gridworld's Laplacian.",
  examples: [
    "bun scripts/allo.ts --wandb_offline",
    "bun scripts/allo.ts --env_type GridRoom-16 --preset paper --num_gradient_steps 20000 --wandb_offline",
    "bun scripts/allo.ts --resume runs/room4/<run> --num_gradient_steps 16000",
  ],
  flags: alloFlags,
  async run(context) {
    const result = await train(context);
    context.print(context.flags.json ? JSON.stringify(result) : (result.run ?? result.tracker ?? ""));
    return result.state === "killed" ? undefined : EXIT.done;
  },
});

type Context = Pick<CommandContext<typeof alloFlags>, "flags" | "given" | "signal">;

/** Trains to the end, or until `signal` stops it after a call, everything saved and closed. Throws typed errors. */
export async function train({ flags: words, given, signal }: Context): Promise<AlloResult> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);

  // ---- arguments: they make sense, or nothing is written
  const { alloSettings, openAlloRun, resumedFlags } = await import("./allo/settings.ts");
  const { plainJson } = await import("./shared/saved_run.ts");
  const saved = words.resume === undefined ? undefined : openAlloRun(words.resume);
  const settings = alloSettings(saved ? resumedFlags(saved, words, given) : words, given);
  const { flags, config, objective, training } = settings;
  const policy = outputPolicy(flags);
  requireAvailable(policy);
  const { createTrainingSession, resolveDevice } = await import("@cleanloop/compute");
  const { reason } = resolveDevice(flags.engine, flags.device);
  for (const warning of settings.warnings) say(`warning: ${warning}`);

  // ---- world, data, and what is to be learned
  const { collectData, openWorld, targetsOf, walkSpectrum, worldFingerprint } = await import("./allo/environment.ts");
  const world = openWorld(settings);
  if (world.note !== null) say(world.note);
  if (saved && saved.record.data_fingerprint !== worldFingerprint(world)) {
    throw new UsageError(`--resume ${saved.directory}: ${world.layout.name} is not the layout that the run was trained on`);
  }
  const exact = walkSpectrum(world, settings);
  const dataStartMs = performance.now();
  const data = collectData(world, settings);
  const dataSeconds = (performance.now() - dataStartMs) / 1000;
  const targets = targetsOf(world, exact, data.law, settings);
  say(`data: ${settings.episodes} episodes of ${flags.max_episode_length} transitions in ${world.layout.name} (${world.stateCount} states), ${dataSeconds.toFixed(1)} s`);

  // ---- outputs
  const { openOutputs } = await import("./shared/run_outputs.ts");
  const { outputsRequest, settingFiles } = await import("./allo/outputs.ts");
  const { AlloArtifacts } = await import("./shared/allo_artifacts.ts");
  const outputs = await openOutputs(outputsRequest({ settings, world, policy, saved }));
  const { run, tracker } = outputs;
  say(`${saved ? "resuming" : "training"} ${run.name}: ${policy.mode}, preset ${flags.preset}, ${config.featureCount} eigenvectors`);

  let release = () => Promise.resolve(); // ends the session's threads, however the run ends
  let progress: Progress | undefined;
  try {
    // ---- compiled step, batches, scores
    const { alloInputs, alloLearningRate, alloLoss, initialAlloCarry, initialAlloParameters } = await import("@cleanloop/models");
    const { Random } = await import("@cleanloop/data");
    const { batchStream, countBatches, rowBatches } = await import("./allo/batches.ts");
    const { callAt, stepsPerCall } = await import("./allo/cadence.ts");
    const { evaluator, KEYS } = await import("./allo/evaluation.ts");
    const { encoderFile, featureEvaluator, modelFile } = await import("./allo/model_export.ts");
    const { multipliersOf, termsOf } = await import("./allo/observation.ts");
    const { savePosition } = await import("./allo/position.ts");
    const { copiedState, loadCheckpoint } = await import("./shared/training_state.ts");

    const model = { config, objective, evaluation: flags.evaluation, coordinates: world.coordinates(settings.coordinates) };
    const inputs = alloInputs(model, training.batchSize);
    const batchBytes = Object.values(inputs).reduce((total, { shape }) => total + 4 * shape.reduce((a, b) => a * b, 1), 0);
    const cadence = { ...flags, steps: training.steps, stepsPerCall: stepsPerCall(batchBytes) };
    const session = await createTrainingSession({
      loss: (params, batch, carry) => alloLoss(params, batch, carry, model),
      params: initialAlloParameters(config, new Random(flags.seed).fork("parameters")),
      carry: initialAlloCarry(config, objective),
      inputs,
      stepsPerCall: cadence.stepsPerCall,
      engine: flags.engine, device: flags.device, threads: flags.threads,
    });
    release = () => session.close();
    const { engine, device, threads, binding, version: bindingVersion, traceMs, compileMs } = session.stats;
    say(`compute: ${reason}; ${engine} on ${device}, ${threads} thread(s), ${binding} ${bindingVersion}; step compiled in ${Math.round(traceMs + compileMs)} ms`);
    tracker.config.update({ compute: { engine, device, threads, binding, version: bindingVersion, reason } });

    const featuresNow = await featureEvaluator(session, model);
    const score = evaluator(targets, objective);
    const fresh = { step: 0, nonFiniteSteps: 0, batches: batchStream(flags.seed).state() };
    const position = saved?.checkpoint ? loadCheckpoint<typeof fresh>(saved.checkpoint, session) : fresh;
    const batchOptions = { batchSize: training.batchSize, constraints: objective.constraints, random: position.batches };
    const source = data.rollouts ? rowBatches(data.rollouts, flags.geometric_gamma, batchOptions) : countBatches(data.law, batchOptions);

    const artifacts = policy.figuresOnDisk ? new AlloArtifacts(run, config.featureCount === 0 ? { stateCount: 0, featureCount: 0 } : { stateCount: world.stateCount, featureCount: config.featureCount }) : undefined;
    await artifacts?.writeSetting(settingFiles(settings, world, data, targets));
    void copiedState; void savePosition; void encoderFile; void modelFile; void plainJson; void formatNumber;

    // ---- loop
    const startMs = performance.now();
    const startStep = position.step;
    progress = new Progress({ label: "allo", totalSteps: training.steps, startStep });
    let facts: Record<string, number> = {};
    const stage = (step: number) => {
      position.batches = source.state();
      const { stepCount } = callAt(step, cadence);
      for (let i = 0; i < stepCount; i++) source.fill(session.staged[i]);
    };
    stage(position.step);
    while (position.step < training.steps && !signal.aborted) {
      const { step } = position;
      const call = callAt(step, cadence);
      const features = call.isLogged || call.isExported ? await featuresNow() : undefined;
      const before = call.isLogged ? multipliersOf(session) : undefined;
      const learningRates = Array.from({ length: call.stepCount }, (_, i) => alloLearningRate(training, step + i));
      const running = session.steps({ learningRates });
      position.step += call.stepCount;
      if (position.step < training.steps) stage(position.step); // while the steps run
      const results = await running;
      if (before && features) {
        const row = { gradient_step: step, ...termsOf(before, session, results[0], objective), ...score(features, before.duals) };
        run.appendMetrics(row);
        tracker.log(row, { step });
        facts = { cos: (row as Record<string, number>)[KEYS.cosine] };
      }
      progress.update(position.step, facts);
      outputs.heartbeat({ step: position.step });
    }
    progress.stop();
    const trainSeconds = (performance.now() - startMs) / 1000;
    const scores = score(await featuresNow(), session.carry.duals);
    say(JSON.stringify(scores));
    const wasStopped = position.step < training.steps;
    const state = wasStopped ? "killed" : "finished";
    const paths = await outputs.close(state, { exitCode: wasStopped ? signalExitCode(stopSignalOf(signal)) : EXIT.done });
    return { state, ...paths, steps: position.step, nonFiniteSteps: position.nonFiniteSteps, trainSeconds, stepsPerSecond: (position.step - startStep) / trainSeconds, scores };
  } catch (error) {
    progress?.stop();
    const wasStopped = error instanceof StopRequest;
    const exitCode = wasStopped ? signalExitCode(error.signal) : EXIT.failed;
    const closing = outputs.close(wasStopped ? "killed" : "failed", { message: (error as Error).message, exitCode });
    await closing.catch((closingError: Error) => say(`closing the run failed too: ${closingError.message}`));
    throw error;
  } finally {
    await release();
  }
}

if (import.meta.main) await runCommand(alloCommand);
