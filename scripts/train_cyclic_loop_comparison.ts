// bun scripts/train_cyclic_loop_comparison.ts --loop_mode open --wandb_offline
// bun scripts/train_cyclic_loop_comparison.ts --loop_mode closed --n_epochs 10 --batch_size 8 --wandb_only --wandb_offline
// bun scripts/train_cyclic_loop_comparison.ts --resume runs/rlvae/<run> --n_epochs 50
//
// Trains the Riemannian flow VAE on cyclic sprite sequences: frame 0 is encoded, seven flows carry the latent through the
// sequence, one decoder draws every frame. The loop computes and exports data; figures are drawn elsewhere.
import type { CommandContext } from "@cleanloop/cli";
import { defineCommand, EXIT, FailedError, formatNumber, Progress, runCommand, signalExitCode, StopRequest, stopSignalOf, UsageError } from "@cleanloop/cli";
import { version } from "./package.json" with { type: "json" };
import { addStep, emptySums, epochMeans } from "./rlvae/epoch_sums.ts";
import { afterEpoch } from "./rlvae/plateau_schedule.ts";
import type { Position } from "./rlvae/position.ts";
import { trainerFlags } from "./rlvae/trainer_flags.ts";
import { outputPolicy, requireAvailable } from "./shared/output_policy.ts";

/** How a run ended, for tables and for --json. */
export interface TrainingResult {
  state: "finished" | "failed" | "killed";
  /** Why a run that came to its end counts as failed: it missed --target_val_total. */
  failure: string | null;
  /** Null in the wandb-only modes, which keep no run directory. */
  run: string | null;
  tracker: string | null;
  epochs: number;
  best: { epoch: number; valTotal: number; trainTotal: number } | null;
  /** The scalars of every epoch this process trained, by tracker key. */
  rows: Record<string, number | string>[];
}

export const trainCommand = defineCommand({
  name: "train_cyclic_loop_comparison",
  version,
  summary: "Trains the Riemannian flow VAE on cyclic sprite sequences.",
  examples: [
    "bun scripts/train_cyclic_loop_comparison.ts --loop_mode open --wandb_offline",
    "bun scripts/train_cyclic_loop_comparison.ts --loop_mode closed --n_epochs 10 --wandb_only --wandb_offline",
    "bun scripts/train_cyclic_loop_comparison.ts --resume runs/rlvae/<run> --n_epochs 50",
  ],
  flags: trainerFlags,
  async run(context) {
    const result = await train(context);
    context.print(context.flags.json ? JSON.stringify(result) : (result.run ?? result.tracker ?? ""));
    if (result.failure !== null) throw new FailedError(result.failure);
    return result.state === "killed" ? undefined : EXIT.done;
  },
});

type Context = Pick<CommandContext<typeof trainerFlags>, "flags" | "given" | "signal">;

/** Trains to the end, or until `signal` stops it after a step, everything saved and closed. Throws typed errors. */
export async function train({ flags: words, given, signal }: Context): Promise<TrainingResult> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);

  // ---- arguments: they make sense, or nothing is written
  const { plainJson } = await import("./shared/saved_run.ts");
  const { openRlvaeRun, resumedFlags, runSettings } = await import("./rlvae/settings.ts");
  const saved = words.resume === undefined ? undefined : openRlvaeRun(words.resume);
  const settings = runSettings(saved ? resumedFlags(saved, words, given) : words);
  const { flags, objective, config } = settings;
  const policy = outputPolicy(flags);
  requireAvailable(policy);
  const { resolveDevice } = await import("@cleanloop/compute");
  const { reason } = resolveDevice(flags.engine, flags.device);

  // ---- data, metric and bundle
  const { fillBatch, loadSprites, reconstructionStrip } = await import("@cleanloop/data");
  const { givenMetric, openModelSession } = await import("./rlvae/model_session.ts");
  const { readBundle } = await import("./rlvae/pretrained_bundle.ts");
  const sprites = loadSprites(flags.data, { trainCount: flags.n_train_samples, validationCount: flags.n_val_samples, seed: flags.seed });
  const batchesPerEpoch = Math.floor(sprites.train.count / flags.batch_size);
  if (batchesPerEpoch === 0) {
    throw new UsageError(`--batch_size ${flags.batch_size} is more than the ${sprites.train.count} training sequences; lower it`);
  }
  if (saved && saved.record.data_fingerprint !== sprites.fingerprint) {
    throw new UsageError(`--resume ${saved.directory}: ${flags.data} is not the data that the run was trained on`);
  }
  const metricAtHand = givenMetric(settings, saved);
  const bundle = saved?.checkpoint || flags.pretrained === undefined ? undefined : readBundle(flags.pretrained);

  // ---- outputs
  const { openOutputs } = await import("./shared/run_outputs.ts");
  const { outputsRequest } = await import("./rlvae/outputs.ts");
  const { encodeNpz, openRun } = await import("@cleanloop/artifacts");
  const { Image } = await import("@cleanloop/wandb");
  const facts = { train_size: sprites.train.count, val_size: sprites.validation.count, dataset: sprites.description };
  const outputs = await openOutputs(outputsRequest({ settings, policy, saved, dataFingerprint: sprites.fingerprint, facts }));
  const { run, tracker } = outputs;
  const savesWeights = policy.checkpointsOnDisk || policy.weightsInTracker;
  say(`${saved ? "resuming" : "training"} ${run.name}: ${policy.mode}, ${flags.loop_mode} loop, ${objective.kl} KL, ${sprites.description}`);
  if (!savesWeights) say("weights are not kept in this mode; --keep_weights puts them into the tracker's log");
  if (objective.posterior === "iaf") say("--posterior iaf is the gaussian posterior, as in the original program");
  if (flags.html_latent_space) say("--html_latent_space: the page is drawn by the figures' command, which is not in this version");

  let release = () => Promise.resolve(); // ends the session's threads, however the run ends
  let progress: Progress | undefined;
  try {
    // ---- starting weights, compiled step, validation, analysis
    const { epochOrder, stepNoise } = await import("./rlvae/seeds.ts");
    const { loadCheckpoint } = await import("./shared/training_state.ts");
    const { savePosition, startPosition } = await import("./rlvae/position.ts");
    const { createValidator } = await import("./rlvae/validation.ts");
    const { createAnalyser } = await import("./rlvae/analysis_export.ts");
    const { session, model, metric } = await openModelSession({ settings, sprites, run, saved, metric: metricAtHand, bundle, signal });
    release = () => session.close();
    const { engine, device, threads, binding, version: bindingVersion, traceMs, compileMs } = session.stats;
    say(`compute: ${reason}; ${engine} on ${device}, ${threads} thread(s), ${binding} ${bindingVersion}; step compiled in ${Math.round(traceMs + compileMs)} ms`);
    tracker.config.update({ temperature_fix: metric?.temperature, compute: { engine, device, threads, binding, version: bindingVersion, reason } });
    const validate = await createValidator(session, model, sprites.validation, flags.seed);
    const analyse = await createAnalyser(session, model, metric, sprites.validation, flags.sequence_viz_count);
    const position = saved?.checkpoint ? loadCheckpoint<Position>(saved.checkpoint, session) : startPosition(flags.learning_rate);
    run.dropMetricsAfter("epoch", position.epoch - 1);
    const checkpoint = (pointers: ("best" | "last")[]) => savePosition(run, session, position, plainJson(flags), pointers);

    // ---- loop
    const rows: TrainingResult["rows"] = [];
    const totalSteps = flags.n_epochs * batchesPerEpoch;
    const startStep = position.epoch * batchesPerEpoch + position.batch;
    progress = new Progress({ label: "train", totalSteps, startStep });
    while (position.epoch < flags.n_epochs) {
      const { epoch } = position;
      const { learningRate } = position.schedule;
      const order = epochOrder(flags.seed, epoch, sprites.train.count);
      const stage = (batch: number) => {
        fillBatch(sprites.train, order.subarray(batch * flags.batch_size, (batch + 1) * flags.batch_size), session.inputs.x as Float32Array);
        stepNoise(flags.seed, epoch * batchesPerEpoch + batch, session.inputs.noise as Float32Array);
      };
      const firstBatch = position.batch;
      const epochStartMs = performance.now();
      stage(firstBatch);
      progress.skipPause();
      while (position.batch < batchesPerEpoch && !signal.aborted) {
        const running = session.step({ learningRate });
        if (position.batch + 1 < batchesPerEpoch) stage(position.batch + 1); // while the step runs
        const result = await running;
        position.batch++;
        addStep(position.sums, result);
        const step = epoch * batchesPerEpoch + position.batch;
        progress.update(step, { epoch: `${epoch + 1}/${flags.n_epochs}`, loss: result.loss });
        outputs.heartbeat({ step, epoch });
      }
      if (position.batch < batchesPerEpoch) break; // stopped by a signal
      const trainSeconds = (performance.now() - epochStartMs) / 1000;
      const means = epochMeans(position.sums, epoch);

      const validation = await validate();
      const valTotal = validation.sampled.loss;
      const isBest = position.best === null || valTotal < position.best.valTotal || Number.isNaN(position.best.valTotal);
      if (isBest) position.best = { epoch, valTotal, trainTotal: means.loss };
      position.schedule = afterEpoch(position.schedule, valTotal);

      const row: Record<string, number | string> = {
        epoch,
        ...termKeys("train", means),
        "train/gradient_norm": means.gradNorm,
        "train/nonfinite_steps": position.sums.nonFiniteSteps,
        ...termKeys("val", validation.sampled),
        ...termKeys("val_mean", validation.mean),
        "optimization/learning_rate": learningRate,
        "config/loop_mode": flags.loop_mode,
        "system/memory_allocated_gb": process.memoryUsage.rss() / 2 ** 30,
        "performance/steps_per_second": (batchesPerEpoch - firstBatch) / trainSeconds,
        "performance/train_seconds": trainSeconds,
      };
      if (isBest) {
        Object.assign(row, {
          "best_model/epoch": epoch, "best_model/val_loss": valTotal, "best_model/train_loss": means.loss, "best_model/loop_mode": flags.loop_mode,
        });
      }

      // ---- figure data, at its cadence and always at the last epoch
      const media: Record<string, unknown> = {};
      if (epoch % flags.visualization_frequency === 0 || epoch + 1 === flags.n_epochs) {
        const { arrays, scalars, originals, reconstructions } = await analyse(validation.traces);
        Object.assign(row, scalars);
        if (policy.figuresOnDisk) {
          const name = `analysis/epoch-${String(epoch).padStart(4, "0")}.npz`;
          await run.writeArtifact(name, "analysis", encodeNpz(arrays, { compress: true }), { step: epoch });
        }
        if (policy.figuresInTracker) {
          media["analysis/reconstruction_overview"] = new Image(reconstructionStrip({ originals, reconstructions, sequences: Math.min(2, flags.sequence_viz_count, sprites.validation.count), scale: 0.5 }));
        }
      }

      // ---- records: metrics first, then the checkpoint that a resumed run goes on from
      rows.push(row);
      run.appendMetrics(row);
      tracker.log({ ...row, ...media }, { step: epoch });
      progress.log(epochLine(row, flags.n_epochs));
      Bun.gc(true); // large arrays make the heap look big, and the collector would wait for hundreds of megabytes
      Object.assign(position, { epoch: epoch + 1, batch: 0, sums: emptySums() });
      if (savesWeights) await checkpoint(isBest ? ["last", "best"] : ["last"]);
    }
    progress.stop();

    // ---- close
    const wasStopped = position.epoch < flags.n_epochs;
    if (wasStopped && savesWeights && position.batch > 0) await checkpoint(["last"]);
    // A stopped run that keeps its directory can be resumed; of one that does not, the best weights so far are all there is.
    if (savesWeights && position.best !== null && !(wasStopped && policy.runDirectoryKept)) {
      const { exportModels, weightsFile } = await import("./rlvae/weights_export.ts");
      const isBestLoaded = position.best.epoch === position.epoch - 1 && position.batch === 0;
      if (!isBestLoaded) loadCheckpoint(openRun(run.path).pointerPath("best") as string, session);
      for await (const { name, bytes } of exportModels(session, config, sprites.validation)) {
        if (policy.checkpointsOnDisk) await run.writeArtifact(name, "model", bytes);
        if (policy.weightsInTracker) outputs.saveInTracker({ name, bytes });
      }
      if (policy.weightsInTracker) outputs.saveInTracker(weightsFile(session, { format: "pt" }));
      say("encoder.onnx and decoder.onnx were reopened and give what the trained model gives");
    }
    tracker.summary.update({
      "final/total_latent_points": sprites.validation.count * config.frameCount,
      "final/sequences_visualized": Math.min(flags.sequence_viz_count, sprites.validation.count),
      "final/riemannian_beta_used": objective.klWeight,
      "final/loop_mode": flags.loop_mode,
    });
    const failure = wasStopped ? null : missedTarget(position.best, flags.target_val_total);
    const state = wasStopped ? "killed" : failure === null ? "finished" : "failed";
    const exitCode = wasStopped ? signalExitCode(stopSignalOf(signal)) : failure === null ? EXIT.done : EXIT.failed;
    const paths = await outputs.close(state, { exitCode, message: failure ?? undefined });
    if (wasStopped && paths.run !== null) say(`stopped; --resume ${paths.run} goes on from here`);
    if (!savesWeights) say(`no weights were kept; what remains is the log in ${paths.tracker}${flags.pretrained ? "" : " and the pre-training in the cache"}`);
    return { state, failure, ...paths, epochs: position.epoch, best: position.best, rows };
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

/** Why the best epoch misses --target_val_total; null when it does not, or when no target was set. */
function missedTarget(best: TrainingResult["best"], target: number | undefined): string | null {
  if (target === undefined || (best !== null && best.valTotal <= target)) return null;
  return `the best validation total is ${best?.valTotal}, above --target_val_total ${target}`;
}

/** Terms under the tracker's names, those of the original where it has one. */
function termKeys(phase: string, terms: Readonly<Record<string, number>>): Record<string, number> {
  const names: Record<string, string> = {
    loss: "total_loss", recon: "recon_loss", kl: "kl_loss", flow: "flow_loss", cycle: "cycle_penalty",
    latentCyclicity: "latent_cyclicity", imageCyclicity: "image_cyclicity", squaredError: "squared_error",
  };
  const known = Object.entries(names).filter(([term]) => term in terms);
  return Object.fromEntries(known.map(([term, name]) => [`${phase}/${name}`, terms[term]]));
}

function epochLine(row: Record<string, number | string>, epochs: number): string {
  const show = (key: string) => formatNumber(row[key] as number);
  return [
    `epoch ${Number(row.epoch) + 1}/${epochs}`,
    `train ${show("train/total_loss")}`,
    `val ${show("val/total_loss")} (from the mean ${show("val_mean/recon_loss")})`,
    `rate ${show("optimization/learning_rate")}`,
    `${show("performance/steps_per_second")} steps/s`,
  ].join(" | ");
}

if (import.meta.main) await runCommand(trainCommand);
