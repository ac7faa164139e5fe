// From settings to a compiled training session: starting weights and metric (from a checkpoint, a bundle or pre-training).
// A function of its own so that weights which were copied into the session can be collected: they weigh 60 MB a copy.
import type { Run } from "@cleanloop/artifacts";
import { safetensorsChunks } from "@cleanloop/artifacts";
import type { TrainingSession } from "@cleanloop/compute";
import { createTrainingSession } from "@cleanloop/compute";
import type { Metric } from "@cleanloop/geometry";
import type { RlvaeModel } from "@cleanloop/models";
import { initialParameters, rlvaeLoss, usesMetric } from "@cleanloop/models";
import { loadMetric } from "./metric_file.ts";
import type { Pretrained } from "./pretrained_bundle.ts";
import { metricArrays } from "./pretrained_bundle.ts";
import { ensurePretrained } from "./pretrained_cache.ts";
import type { FrameSets } from "./pretraining.ts";
import type { SavedRun } from "../shared/saved_run.ts";
import { parameterStream } from "./seeds.ts";
import type { RunSettings } from "./settings.ts";
import type { TrainerFlags } from "./trainer_flags.ts";

/** Adam's L2 penalty and the clipping of the global gradient norm, as the original. */
const OPTIMIZER = { weightDecay: 1e-5, clipNorm: 1 };

const METRIC_FILE = "metric.safetensors";

export interface SessionRequest {
  settings: RunSettings;
  sprites: FrameSets;
  run: Run;
  /** The run that is resumed, if it has a checkpoint. */
  saved: SavedRun<TrainerFlags> | undefined;
  /** The metric of --metric, or of the resumed run. */
  metric: Metric | undefined;
  /** The bundle of --pretrained. */
  bundle: Pretrained | undefined;
  signal: AbortSignal;
}

export interface ModelSession {
  session: TrainingSession;
  model: RlvaeModel;
  /** The metric in float64; undefined for posteriors that use none. */
  metric: Metric | undefined;
}

/** The metric given with --metric or kept by the resumed run; undefined when it has to be built. Throws typed errors. */
export function givenMetric({ flags, objective, config }: RunSettings, saved: SavedRun<TrainerFlags> | undefined): Metric | undefined {
  if (saved?.checkpoint) {
    const isKept = saved.view.artifacts.some(({ name }) => name === METRIC_FILE);
    return isKept ? loadMetric(saved.view.artifactPath(METRIC_FILE), config.latentSize, {}) : undefined;
  }
  return flags.metric === undefined ? undefined : loadMetric(flags.metric, config.latentSize, temperatureOf(objective.metricTemperature));
}

/** Compiles the training step. Pre-trains first when there is neither a checkpoint nor a bundle; keeps the metric in the run. */
export async function openModelSession(request: SessionRequest): Promise<ModelSession> {
  const { settings, run, saved } = request;
  const { flags, objective, config } = settings;
  let { metric } = request;
  let pretrained: Pretrained | undefined;
  if (!saved?.checkpoint) {
    pretrained = request.bundle ?? (await ensurePretrained(request.sprites, flags, request.signal)).pretrained;
    metric ??= { ...pretrained.metrics[objective.metricScaling], ...temperatureOf(objective.metricTemperature) };
    await run.writeArtifact(METRIC_FILE, "metric", safetensorsChunks(metricArrays(metric)));
    Bun.gc(true); // pre-training left some 250 MB behind, which would add to the peak
  }
  if (!usesMetric(objective)) metric = undefined;
  const model: RlvaeModel = { config, objective, metric };
  const session = await createTrainingSession({
    loss: (trained, inputs) => rlvaeLoss(trained, { x: inputs.x, noise: inputs.noise }, model),
    params: { ...initialParameters(config, parameterStream(flags.seed)), ...pretrained?.parameters },
    inputs: {
      x: { shape: [flags.batch_size, config.frameCount, config.frameSize] },
      noise: { shape: [flags.batch_size, config.latentSize] },
    },
    averaging: flags.weight_averaging > 0 ? { decay: flags.weight_averaging } : undefined,
    optimizer: OPTIMIZER, engine: flags.engine, device: flags.device, threads: flags.threads,
  });
  return { session, model, metric };
}

function temperatureOf(temperature: number | "nearest-neighbour"): { temperature?: number } {
  return typeof temperature === "number" ? { temperature } : {};
}
