// Parameters, moments and step count of a session: live views for reading, export and import for checkpoints.
import { floatViews, type TrainingLayout } from "./layout.ts";
import type { HostTensor, TrainingState } from "./types.ts";

export class SessionState {
  stepCount = 0;
  /** Every parameter, trainable or not. */
  readonly params: Record<string, Float32Array>;
  readonly averagedParams: Record<string, Float32Array>;
  readonly gradients: Record<string, Float32Array>;
  private readonly firstMoment: Record<string, Float32Array>;
  private readonly secondMoment: Record<string, Float32Array>;

  /** Averages of the trainable parameters; empty where none are kept. */
  private readonly average: Record<string, Float32Array>;

  constructor(layout: TrainingLayout, private readonly shapes: Record<string, { shape: readonly number[] }>) {
    const frozen = floatViews(layout.memory, layout.frozen);
    const inOrder = (views: Record<string, Float32Array>) => Object.fromEntries(Object.keys(shapes).map((name) => [name, views[name]]));
    this.params = inOrder({ ...floatViews(layout.memory, layout.parameters), ...frozen });
    this.averagedParams = inOrder({ ...floatViews(layout.memory, layout.averages), ...frozen });
    const isAveraged = layout.vectors.averages !== layout.vectors.parameters;
    this.average = isAveraged ? floatViews(layout.memory, layout.averages) : {};
    this.gradients = floatViews(layout.memory, layout.gradients);
    this.firstMoment = floatViews(layout.memory, layout.firstMoment);
    this.secondMoment = floatViews(layout.memory, layout.secondMoment);
  }

  get parameterCount(): number {
    return Object.values(this.params).reduce((total, { length }) => total + length, 0);
  }

  export(): TrainingState {
    const withShapes = (arrays: Record<string, Float32Array>): Record<string, HostTensor> =>
      Object.fromEntries(Object.entries(arrays).map(([name, data]) => [name, { shape: this.shapes[name].shape, data }]));
    return {
      params: withShapes(this.params),
      firstMoment: withShapes(this.firstMoment),
      secondMoment: withShapes(this.secondMoment),
      average: withShapes(this.average),
      stepCount: this.stepCount,
    };
  }

  /** Copies a checked state into the live arrays. */
  import(state: TrainingState): void {
    const copy = (into: Record<string, Float32Array>, from: Record<string, HostTensor>): void => {
      for (const [name, target] of Object.entries(into)) target.set(from[name].data);
    };
    copy(this.params, state.params);
    copy(this.firstMoment, state.firstMoment);
    copy(this.secondMoment, state.secondMoment);
    copy(this.average, state.average);
    this.stepCount = state.stepCount;
  }
}
