// bun scripts/allo.ts --wandb_offline
// bun scripts/allo.ts --env_type GridRoom-16 --preset paper --num_gradient_steps 20000 --wandb_offline
// bun scripts/allo.ts --resume runs/room4/<run> --num_gradient_steps 16000
//
// Learns the smoothest eigenvectors of a gridworld's Laplacian, in order, by the augmented Lagrangian of "Proper Laplacian
// Representation Learning" (ICLR 2024). The loop computes and exports data; figures are drawn elsewhere.
import { join } from "node:path";
import type { CommandContext } from "@cleanloop/cli";
import { defineCommand, EXIT, FailedError, formatNumber, Progress, renderTable, runCommand, signalExitCode, StopRequest, stopSignalOf, UsageError } from "@cleanloop/cli";
import { alloFlags } from "./allo/flags.ts";
import type { Position } from "./allo/position.ts";
import { version } from "./package.json" with { type: "json" };
import { outputPolicy, requireAvailable } from "./shared/output_policy.ts";

/** After so many steps in a row that are not finite the weights will not recover. */
const MOST_NONFINITE_IN_A_ROW = 100;
const PLOTTER = join(import.meta.dir, "generate_plots.ts");

/** How a run ended, for tables and for --json. */
export interface AlloResult {
  state: "finished" | "killed";
  /** Null in the wandb-only modes, which keep no run directory. */
  run: string | null;
  tracker: string | null;
  /** Steps done, and those among them that were not finite and changed nothing. */
  steps: number;
  nonFiniteSteps: number;
  /** Of counting the data's pairs, and of the loop in this process, exports included. */
  dataSeconds: number;
  trainSeconds: number;
  stepsPerSecond: number;
  /** Scores of the features at the end, by the keys of the metrics. */
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
  const wanted = saved ? resumedFlags(saved, words, given) : words;
  const { collectInParts, openWorld, targetsOf, walkSpectrum, worldFingerprint } = await import("./allo/environment.ts");
  const world = openWorld(wanted);
  const settings = alloSettings(wanted, given, world.stateCount);
  const { flags, config, objective, training } = settings;
  const savedFlags = plainJson(flags);
  const policy = outputPolicy(flags);
  requireAvailable(policy);
  const { createTrainingSession, resolveDevice } = await import("@cleanloop/compute");
  const { reason } = resolveDevice(flags.engine, flags.device);
  for (const warning of settings.warnings) say(`warning: ${warning}`);

  // ---- data, and what is to be learned
  const { layout, stateCount } = world;
  if (world.note !== null) say(world.note);
  if (saved && saved.record.data_fingerprint !== worldFingerprint(world)) {
    throw new UsageError(`--resume ${saved.directory}: ${layout.name} is not the layout that the run was trained on`);
  }
  const walk = walkSpectrum(world, settings);
  const dataStartMs = performance.now();
  say(`collecting ${settings.episodes} episodes of ${flags.max_episode_length} transitions`);
  const data = await collectInParts(world, settings, signal);
  const dataSeconds = (performance.now() - dataStartMs) / 1000;
  const targets = targetsOf(world, walk, data.law, settings);
  await Bun.sleep(0); // a signal that came meanwhile is seen now
  signal.throwIfAborted();

  // ---- outputs
  const { openOutputs } = await import("./shared/run_outputs.ts");
  const { outputsRequest, settingFiles } = await import("./allo/outputs.ts");
  const { AlloArtifacts, KINDS } = await import("./allo/artifacts.ts");
  const outputs = await openOutputs(outputsRequest({ settings, world, policy, saved }));
  const { run, tracker } = outputs;
  const savesWeights = policy.checkpointsOnDisk || policy.weightsInTracker;
  say(`${saved ? "resuming" : "training"} ${run.name}: ${policy.mode}, preset ${flags.preset}, ${config.featureCount} eigenvectors of ${layout.name} (${stateCount} states)`);
  say(`data: counted in ${dataSeconds.toFixed(1)} s`);
  if (!savesWeights) say("weights are not kept in this mode; --keep_weights puts them into the tracker's log");

  const { BackgroundWrites } = await import("./allo/background_writes.ts");
  const writes = new BackgroundWrites();
  let release = () => Promise.resolve(); // ends the session's threads, however the run ends
  let progress: Progress | undefined;
  try {
    // ---- compiled step, batches, scores
    const { alloInputs, alloLearningRate, alloLoss, initialAlloCarry, initialAlloParameters } = await import("@cleanloop/models");
    const { Random } = await import("@cleanloop/data");
    const { batchStream, openBatches } = await import("./allo/batches.ts");
    const { callAt, lastRecordKept, stepsPerCall } = await import("./allo/cadence.ts");
    const { evaluator, KEYS } = await import("./allo/evaluation.ts");
    const { featureEvaluator } = await import("./allo/model_export.ts");
    const { multipliersOf, termsOf } = await import("./allo/observation.ts");
    const { savePosition } = await import("./allo/position.ts");
    const { bothSettled } = await import("./allo/settled.ts");
    const { plotterProcess } = await import("./allo/plotter_process.ts");
    const { copiedState, loadCheckpoint } = await import("./shared/training_state.ts");

    const model = { config, objective, evaluation: flags.evaluation, coordinates: world.coordinates(settings.coordinates) };
    const inputs = alloInputs(model, training.batchSize);
    const session = await createTrainingSession({
      loss: (params, batch, carry) => alloLoss(params, batch, carry, model),
      params: initialAlloParameters(config, new Random(flags.seed).fork("parameters")),
      carry: initialAlloCarry(config, objective),
      optimizer: { beta2: training.beta2 },
      inputs, stepsPerCall: stepsPerCall(inputs),
      engine: flags.engine, device: flags.device, threads: flags.threads,
    });
    release = () => session.close();
    const { engine, device, threads, binding, version: bindingVersion, traceMs, compileMs } = session.stats;
    say(`compute: ${reason}; ${engine} on ${device}, ${threads} thread(s), ${binding} ${bindingVersion}; step compiled in ${Math.round(traceMs + compileMs)} ms`);
    tracker.config.update({ compute: { engine, device, threads, binding, version: bindingVersion, reason } });
    const featuresNow = await featureEvaluator(session, model);
    const score = evaluator(targets, objective, settings.sampling);

    const fresh: Position = { step: 0, nonFiniteSteps: 0, batches: batchStream(flags.seed).state() };
    const position = saved?.checkpoint ? loadCheckpoint<Position>(saved.checkpoint, session) : fresh;
    const batches = openBatches(data, settings, position.batches);
    const writer = new AlloArtifacts(run, { stateCount, featureCount: config.featureCount });
    const artifacts = policy.figuresOnDisk ? writer : undefined;
    const startStep = position.step;
    const cadence = { ...flags, steps: training.steps, stepsPerCall: session.staged.length };
    if (saved) {
      // What lies behind the checkpoint comes again, the record and the features of its own step included.
      run.dropMetricsAfter("gradient_step", lastRecordKept(startStep, cadence));
      await writer.rewind(startStep - 1); // also where no more are written: what was made must not outlive its step
    }
    await artifacts?.writeSetting(settingFiles(settings, world, data, targets));
    const plotter = flags.plot_during_training && artifacts ? plotterProcess(PLOTTER, run.path, say) : undefined;
    const exportFeatures = async (step: number, features: Float32Array) => {
      await (artifacts ? artifacts.writeFeatures(step, features) : run.writeMetricsHistory("records"));
      plotter?.draw();
    };
    let shown: Record<string, number> = {};
    const record = (step: number, { allo, ...values }: Record<string, number>, { sps, ...facts }: Record<string, number>) => {
      const row = { gradient_step: step, allo, sps, ...values, ...facts };
      run.appendMetrics(row);
      tracker.log(row, { step });
      shown = { lagrangian: values.lagrangian, cos: values[KEYS.cosine], "eigenvalue error": values[KEYS.eigenvalueError] };
    };

    // ---- loop
    const stage = (step: number) => {
      position.batches = batches.state();
      if (step === training.steps) return;
      const { stepCount } = callAt(step, cadence);
      for (const staged of session.staged.slice(0, stepCount)) batches.fill(staged);
    };
    let nonFiniteInARow = 0;
    let unrecorded: (() => Promise<void>) | undefined; // a step's record takes as long as some steps: it is made beside them
    const recordLastStep = async () => {
      const waiting = unrecorded;
      unrecorded = undefined;
      await waiting?.();
    };
    progress = new Progress({ label: "train", totalSteps: training.steps, startStep });
    const startMs = performance.now();
    const secondsSoFar = () => (performance.now() - startMs) / 1000;
    stage(startStep);
    while (position.step < training.steps && !signal.aborted) {
      const { step } = position;
      const { isLogged, isExported, isSaved, stepCount } = callAt(step, cadence);
      if (isSaved && savesWeights && step > startStep) {
        await recordLastStep(); // a run that goes on from here does not make it again
        await writes.start(() => savePosition(run, copiedState(session.exportState()), { ...position }, savedFlags));
      }
      const features = isLogged || isExported ? await featuresNow() : undefined;
      const before = multipliersOf(session);
      const learningRates = Array.from({ length: stepCount }, (_, index) => alloLearningRate(training, step + index));
      const running = session.steps({ learningRates });
      position.step += stepCount;
      stage(position.step); // while the steps run
      const [results] = await bothSettled(running, recordLastStep());

      for (const { updated } of results) nonFiniteInARow = updated ? 0 : nonFiniteInARow + 1;
      position.nonFiniteSteps += results.filter(({ updated }) => !updated).length;
      if (nonFiniteInARow >= Math.min(MOST_NONFINITE_IN_A_ROW, training.steps)) {
        throw new FailedError(`the last ${nonFiniteInARow} steps gave a loss or gradient that is not finite; lower --learning_rate or the step sizes of duals and barrier`);
      }
      if (features) {
        const terms = isLogged ? termsOf(before, session, results[0], objective) : undefined;
        const facts = { sps: Math.round((step - startStep) / secondsSoFar()), learning_rate: learningRates[0], nonfinite_steps: position.nonFiniteSteps };
        unrecorded = async () => {
          if (terms) record(step, { ...terms, ...score(features, before.duals) }, facts);
          if (isExported) await writes.start(() => exportFeatures(step, features));
        };
      }
      progress.update(position.step, shown);
      outputs.heartbeat({ step: position.step });
    }
    await recordLastStep();
    const trainSeconds = secondsSoFar();
    progress.stop();

    // ---- close
    const { step, nonFiniteSteps } = position;
    const wasStopped = step < training.steps;
    const features = await featuresNow();
    const scores = score(features, session.carry.duals);
    await writes.finish();
    if (savesWeights) await savePosition(run, session.exportState(), position, savedFlags);
    if (!wasStopped) {
      await exportFeatures(step, features);
      await artifacts?.writeFinalFeatures(step, features);
      await plotter?.finish();
    }
    // A stopped run that keeps its directory can be resumed; of one that does not, the weights so far are all there is.
    if (!(wasStopped && policy.runDirectoryKept)) {
      const isWritten = flags.save_model && policy.checkpointsOnDisk;
      if (isWritten || policy.weightsInTracker) {
        const { encoderFile, featuresFile, modelFile } = await import("./allo/model_export.ts");
        const { WEIGHTS_FILE } = await import("./shared/model_files.ts");
        const encoder = await encoderFile(session, model, features);
        say("encoder.onnx was reopened and gives what the trained model gives");
        const weights = (name: string) => modelFile(name, session, walk, savedFlags);
        const files = isWritten ? [encoder, weights("final_model.safetensors")] : [];
        for (const { name, bytes } of files) await run.writeArtifact(`models/${name}`, KINDS.model, bytes);
        const logged = policy.weightsInTracker ? [encoder, weights(WEIGHTS_FILE), featuresFile(features, stateCount)] : [];
        for (const file of logged) outputs.saveInTracker(file);
      }
    }
    if (policy.figuresInTracker) {
      const { eigenvectorStrip } = await import("./allo/eigenvector_strip.ts");
      const { Image } = await import("@cleanloop/wandb");
      tracker.log({ gradient_step: step, "eigenvectors/exact_above_learned": new Image(eigenvectorStrip(world, targets.reference, features)) }, { step });
    }
    const final = Object.entries(scores).map(([key, value]) => [`final/${key}`, value]);
    tracker.summary.update({ ...Object.fromEntries(final), "final/gradient_steps": step, "final/nonfinite_steps": nonFiniteSteps });
    say(scoreTable(targets.reference.eigenvalues, scores));
    if (nonFiniteSteps > 0) say(`${nonFiniteSteps} of ${step} steps gave a loss or gradient that is not finite, and changed nothing`);
    const state = wasStopped ? "killed" : "finished";
    const paths = await outputs.close(state, { exitCode: wasStopped ? signalExitCode(stopSignalOf(signal)) : EXIT.done });
    if (wasStopped && paths.run !== null) say(`stopped; --resume ${paths.run} goes on from here`);
    if (!savesWeights) say(`no weights were kept; what remains is the log in ${paths.tracker}`);
    return { state, ...paths, steps: step, nonFiniteSteps, dataSeconds, trainSeconds, stepsPerSecond: (step - startStep) / trainSeconds, scores };
  } catch (error) {
    progress?.stop();
    await writes.finish().catch(() => {}); // nothing is written any more when the run is closed
    const wasStopped = error instanceof StopRequest;
    const exitCode = wasStopped ? signalExitCode(error.signal) : EXIT.failed;
    const closing = outputs.close(wasStopped ? "killed" : "failed", { message: (error as Error).message, exitCode });
    await closing.catch((closingError: Error) => say(`closing the run failed too: ${closingError.message}`));
    throw error;
  } finally {
    await release();
  }
}

/** Every eigenvector in a line, and the means below. */
function scoreTable(wanted: Float64Array, scores: Record<string, number>): string {
  const rows = Array.from(wanted, (eigenvalue, i) => {
    const [learned, group, plain] = ["eigenvalue", "cosine_group", "cosine_sim"].map((name) => scores[`${name}_${i}`]);
    return [i, withoutMinusZero(eigenvalue), withoutMinusZero(learned), group.toFixed(5), plain.toFixed(5)];
  });
  const { cosine_group_avg, cosine_sim_avg, cosine_dataset_group_avg, eigenvalue_error_max } = scores;
  return [
    renderTable(["i", "eigenvalue", "from the duals", "|cos| to its group", "|cos|"], rows),
    `mean |cos| ${cosine_group_avg.toFixed(5)} (plain ${cosine_sim_avg.toFixed(5)}, with the data's own eigenvectors ${cosine_dataset_group_avg.toFixed(5)}), ` +
      `largest eigenvalue error ${formatNumber(eigenvalue_error_max)}`,
  ].join("\n");
}

/** Five decimals, and 0.00000 for what rounding put just below zero. */
function withoutMinusZero(value: number): string {
  return (Math.round(value * 1e5) / 1e5 || 0).toFixed(5);
}

if (import.meta.main) await runCommand(alloCommand);
