// What is minimised: posterior, divergence, weights, loop mode and metric scaling, as two presets to start from.

import { ModelError } from "../errors.ts";

/** Distribution of z_0 given frame 0. `iaf` is accepted for the original's sake and means `gaussian` there and here. */
export type Posterior = "riemannian_metric" | "gaussian" | "iaf";

/** Divergence of the posterior; the first three belong to `riemannian_metric`, the last to the other posteriors. */
export type Divergence = "legacy" | "exact" | "gaussian_prior" | "gaussian";

/** `closed` ties the last frame to the first during training; `open` ties nothing. */
export type LoopMode = "open" | "closed";

export interface Objective {
  posterior: Posterior;
  kl: Divergence;
  klWeight: number;
  /** Weight of the flow term -mean Σ_t log|det J_t|; no part of a bound when frame 0 is encoded, hence 0 in `fixed`. */
  flowWeight: number;
  loopMode: LoopMode;
  /** Weight of the loop penalty mean (z_last - z_0)², closed mode only. */
  cyclePenalty: number;
  /** Standard deviation σ₀ of the Gaussian factor of the prior, `gaussian_prior` only. */
  priorStd: number;
  /** How the metric builder scales M_k for this objective. */
  metricScaling: "posterior" | "trace";
  /** T of the metric for this objective. */
  metricTemperature: number | "nearest-neighbour";
}

export type ObjectivePreset = "fixed" | "faithful";

const COMMON = { posterior: "riemannian_metric", loopMode: "open", cyclePenalty: 1, priorStd: 1 } as const;

/**
 * `faithful` is what the original trains; its divergence tends to D/2 whatever the encoder does. `fixed` uses the
 * exact divergence on a metric scaled to the posterior variance; the one without the other trains worse.
 */
export const OBJECTIVE_PRESETS: Readonly<Record<ObjectivePreset, Readonly<Objective>>> = {
  fixed: {
    ...COMMON,
    kl: "exact",
    klWeight: 1,
    flowWeight: 0,
    metricScaling: "posterior",
    metricTemperature: "nearest-neighbour",
  },
  faithful: { ...COMMON, kl: "legacy", klWeight: 8, flowWeight: 1, metricScaling: "trace", metricTemperature: 3 },
};

/**
 * A preset with changes. A posterior without a metric takes the Gaussian divergence with weight 1 unless told
 * otherwise. Throws BAD_OBJECTIVE for a divergence that does not belong to the posterior and for weights that are not
 * usable numbers.
 */
export function resolveObjective(preset: ObjectivePreset, changes: Partial<Objective> = {}): Objective {
  const base = OBJECTIVE_PRESETS[preset];
  const posterior = changes.posterior ?? base.posterior;
  const divergence: Partial<Objective> = usesMetric({ posterior }) ? {} : { kl: "gaussian", klWeight: 1 };
  const objective: Objective = { ...base, ...divergence, ...withoutUndefined(changes) };
  if (usesMetric(objective) === (objective.kl === "gaussian")) {
    const wanted = usesMetric(objective) ? "legacy, exact or gaussian_prior" : "gaussian";
    throw new ModelError(
      "BAD_OBJECTIVE",
      `resolveObjective: got kl ${objective.kl} with posterior ${objective.posterior}, wanted kl ${wanted}`,
    );
  }
  for (const name of ["klWeight", "flowWeight", "cyclePenalty"] as const) {
    if (!(objective[name] >= 0 && Number.isFinite(objective[name]))) {
      throw new ModelError(
        "BAD_OBJECTIVE",
        `resolveObjective: got ${name} ${objective[name]}, wanted a number of at least 0`,
      );
    }
  }
  if (!(objective.priorStd > 0 && Number.isFinite(objective.priorStd))) {
    throw new ModelError(
      "BAD_OBJECTIVE",
      `resolveObjective: got priorStd ${objective.priorStd}, wanted a number above 0`,
    );
  }
  return objective;
}

/** Whether the posterior is built from the metric; the log-variance head of the encoder is unused then. */
export function usesMetric({ posterior }: Pick<Objective, "posterior">): boolean {
  return posterior === "riemannian_metric";
}

function withoutUndefined(changes: Partial<Objective>): Partial<Objective> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}
