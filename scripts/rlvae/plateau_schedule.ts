// Lowers the learning rate when the validation loss stalls, as torch.optim.lr_scheduler.ReduceLROnPlateau (mode min, rel).

/** Everything the schedule remembers; plain JSON, so that a resumed run goes on exactly. */
export interface PlateauState {
  learningRate: number;
  /** Null before the first epoch. */
  best: number | null;
  badEpochs: number;
}

const FACTOR = 0.8;
const PATIENCE_EPOCHS = 8;
const RELATIVE_THRESHOLD = 0.01;
const MIN_LEARNING_RATE = 1e-7;
/** Changes smaller than this are not made (torch's eps). */
const MIN_CHANGE = 1e-8;

/**
 * The state after an epoch with this validation loss. An epoch is bad unless the loss falls below best * (1 - 0.01);
 * after more than 8 bad ones in a row the rate is multiplied by 0.8, down to 1e-7. NaN counts as bad.
 */
export function afterEpoch(state: PlateauState, loss: number): PlateauState {
  if (loss < (state.best ?? Infinity) * (1 - RELATIVE_THRESHOLD)) {
    return { ...state, best: loss, badEpochs: 0 };
  }
  if (state.badEpochs < PATIENCE_EPOCHS) return { ...state, badEpochs: state.badEpochs + 1 };
  const lowered = Math.max(state.learningRate * FACTOR, MIN_LEARNING_RATE);
  const isChange = state.learningRate - lowered > MIN_CHANGE;
  return { ...state, learningRate: isChange ? lowered : state.learningRate, badEpochs: 0 };
}
