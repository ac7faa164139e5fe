// How steps are grouped into calls of the session: as many at once as fit, cut wherever something has to happen.
import type { TensorSpec } from "@cleanloop/compute";

export interface Cadence {
  steps: number;
  /** Most steps of one call. */
  stepsPerCall: number;
  log_freq: number;
  plot_freq: number;
  save_freq: number;
}

/** What happens around the step with number `step`, counted from 0, and how many steps its call takes. */
export interface Call {
  /** The step is recorded, and runs alone so that what it saw and what it left can be told apart. */
  isLogged: boolean;
  /** The features before the step are exported. */
  isExported: boolean;
  /** The state before the step is saved. */
  isSaved: boolean;
  stepCount: number;
}

/** The call that begins with `step`. */
export function callAt(step: number, cadence: Cadence): Call {
  const { steps, stepsPerCall, log_freq, plot_freq, save_freq } = cadence;
  const isLogged = isRecorded(step, cadence);
  const next = (every: number) => (Math.floor(step / every) + 1) * every;
  // A call's batches are drawn during the call before it. Behind a recorded step, which is alone, calls grow by doubling
  // (1, 2, 4, ...), so that the session never waits for a long draw.
  const growing = (step % log_freq) + 1;
  const stop = Math.min(step + Math.min(stepsPerCall, growing), steps - 1, next(log_freq), next(plot_freq), next(save_freq));
  return {
    isLogged,
    isExported: step % plot_freq === 0,
    isSaved: step > 0 && step % save_freq === 0,
    stepCount: isLogged ? 1 : stop - step,
  };
}

/** Records are those of the original: every log_freq steps from step 0 on, and the last step. */
function isRecorded(step: number, { steps, log_freq: logFreq }: Cadence): boolean {
  return step % logFreq === 0 || step === steps - 1;
}

/**
 * The last record that a run resumed behind `stepsDone` steps keeps: the one of the step before, unless that was recorded only
 * because it was once to be the last.
 */
export function lastRecordKept(stepsDone: number, cadence: Cadence): number {
  return isRecorded(stepsDone - 1, cadence) ? stepsDone - 1 : stepsDone - 2;
}

/** Memory for the staged batches of the two calls that take turns. */
const STAGED_BYTES = 64e6;
/** More steps per call gain nothing, and the progress becomes coarse. */
const MOST_STEPS_PER_CALL = 16;

/** Steps per call for batches of this shape: what a large world stages has to stay within reason. */
export function stepsPerCall(inputs: Readonly<Record<string, TensorSpec>>): number {
  const batchBytes = Object.values(inputs).reduce((total, { shape }) => total + 4 * shape.reduce((product, extent) => product * extent, 1), 0);
  return Math.min(MOST_STEPS_PER_CALL, Math.max(1, Math.floor(STAGED_BYTES / (2 * batchBytes))));
}
