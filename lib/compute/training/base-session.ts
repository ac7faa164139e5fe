// What every session has, whatever computes its steps: staging buffers that take turns, one step at a time, live state.
import type { SessionState } from "./state.ts";
import type {
  CompileOptions, Evaluator, InputArray, SessionStats, StateSource, StepResult, TensorFunction, TensorSpec, TrainingSession, TrainingState,
} from "./types.ts";

export interface SessionParts {
  state: SessionState;
  /** Input buffers of two calls, one set per step of a call. */
  staging: [Record<string, InputArray>[], Record<string, InputArray>[]];
}

export abstract class BaseSession implements TrainingSession {
  abstract readonly stats: SessionStats;
  protected readonly state: SessionState;
  private stage = 0;
  private inFlight = false;

  protected constructor(private readonly parts: SessionParts) {
    this.state = parts.state;
  }

  get inputs(): Record<string, InputArray> {
    return this.staged[0];
  }

  get staged(): readonly Record<string, InputArray>[] {
    return this.parts.staging[this.stage];
  }

  get params(): Record<string, Float32Array> {
    return this.state.params;
  }

  get averagedParams(): Record<string, Float32Array> {
    return this.state.averagedParams;
  }

  get carry(): Record<string, Float32Array> {
    return this.state.carry;
  }

  get stepCount(): number {
    return this.state.stepCount;
  }

  async step({ learningRate }: { learningRate: number }): Promise<StepResult> {
    const [result] = await this.steps({ learningRates: [learningRate] });
    return result;
  }

  async steps({ learningRates }: { learningRates: readonly number[] }): Promise<StepResult[]> {
    if (this.inFlight) throw new Error("step: the previous step is still running; await it first");
    const most = this.staged.length;
    if (learningRates.length < 1 || learningRates.length > most) {
      throw new RangeError(`steps: got ${learningRates.length} learning rates; this session takes 1 to ${most} steps per call (stepsPerCall)`);
    }
    this.inFlight = true;
    const { stage } = this;
    this.stage = 1 - stage;
    try {
      const results = await this.runSteps(stage, learningRates);
      this.state.stepCount += results.filter(({ updated }) => updated).length;
      return results;
    } finally {
      this.inFlight = false;
    }
  }

  exportState(): TrainingState {
    return this.state.export();
  }

  importState(saved: TrainingState | StateSource): void {
    this.state.import("read" in saved ? saved : { stepCount: saved.stepCount, read: (kind, name) => saved[kind][name] });
  }

  abstract compile(fn: TensorFunction, inputs: Record<string, TensorSpec>, options?: CompileOptions): Promise<Evaluator>;
  abstract close(): Promise<void>;

  /** Computes and applies the updates from number stepCount + 1 on, from the input buffers of one call. */
  protected abstract runSteps(stage: number, learningRates: readonly number[]): Promise<StepResult[]>;
}
