// Parameters, moments and step count of a session: live views for reading, export and import for checkpoints.
import { floatViews, type TrainingLayout } from "./layout.ts";
import type { HostTensor, StateSource, TrainingState } from "./types.ts";

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
  readonly carry: Record<string, Float32Array>;

  /** `shapes` names the parameters in their order; `carryShapes` what the loss carries. */
  constructor(
    layout: TrainingLayout,
    private readonly shapes: Record<string, { shape: readonly number[] }>,
    private readonly carryShapes: Record<string, { shape: readonly number[] }> = {},
  ) {
    const frozen = floatViews(layout.memory, layout.frozen);
    const inOrder = (views: Record<string, Float32Array>) => Object.fromEntries(Object.keys(shapes).map((name) => [name, views[name]]));
    this.params = inOrder({ ...floatViews(layout.memory, layout.parameters), ...frozen });
    this.averagedParams = inOrder({ ...floatViews(layout.memory, layout.averages), ...frozen });
    const isAveraged = layout.vectors.averages !== layout.vectors.parameters;
    this.average = isAveraged ? floatViews(layout.memory, layout.averages) : {};
    this.gradients = floatViews(layout.memory, layout.gradients);
    this.firstMoment = floatViews(layout.memory, layout.firstMoment);
    this.secondMoment = floatViews(layout.memory, layout.secondMoment);
    this.carry = floatViews(layout.memory, layout.carry);
  }

  get parameterCount(): number {
    return Object.values(this.params).reduce((total, { length }) => total + length, 0);
  }

  export(): TrainingState {
    const withShapes = (arrays: Record<string, Float32Array>, shapes = this.shapes): Record<string, HostTensor> =>
      Object.fromEntries(Object.entries(arrays).map(([name, data]) => [name, { shape: shapes[name].shape, data }]));
    return {
      params: withShapes(this.params),
      firstMoment: withShapes(this.firstMoment),
      secondMoment: withShapes(this.secondMoment),
      average: withShapes(this.average),
      carry: withShapes(this.carry, this.carryShapes),
      stepCount: this.stepCount,
    };
  }

  /** Copies a state into the live arrays, tensor by tensor. */
  import(state: StateSource): void {
    for (const kind of ["params", "firstMoment", "secondMoment", "average", "carry"] as const) {
      const shapes = kind === "carry" ? this.carryShapes : this.shapes;
      for (const [name, target] of Object.entries(this[kind])) {
        const source = state.read(kind, name);
        if (source?.data.length !== target.length) {
          const got = source ? `[${source.shape.join(", ")}]` : "missing";
          throw new RangeError(`importState: ${kind} of "${name}" is ${got}; wanted [${shapes[name].shape.join(", ")}]`);
        }
        target.set(source.data);
      }
    }
    this.stepCount = state.stepCount;
  }
}
