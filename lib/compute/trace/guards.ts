// Things that a traced function must not do, caught while it runs; everything is put back afterwards.
import * as tf from "@tensorflow/tfjs-core";
import { backendName } from "./backend.ts";
import { TraceError } from "./errors.ts";

function refuseRandom(): never {
  throw new TraceError(
    "random-in-trace",
    "trace: Math.random was called (tf.randomNormal, tf.randomUniform, tf.dropout ... without a seed); the numbers " +
      "would be frozen into the program. Pass noise as an argument",
  );
}

function refuseAssignment(): never {
  throw new TraceError(
    "variable-assigned",
    "trace: a tf.Variable was assigned; return the new value as an output instead",
  );
}

function refuseVariable(): never {
  throw new TraceError(
    "variable-created",
    "trace: a tf.Variable was created; pass the state as an argument and return it as an output",
  );
}

/** Runs `fn` on the tracing backend with the guards up; backend and guarded functions are restored, also on a throw. */
export function withGuards<Result>(fn: () => Result): Result {
  const engine = tf.engine();
  const previousBackend = engine.backendName;
  const { random } = Math;
  const { assign } = tf.Variable.prototype;
  const { makeVariable } = engine;
  Math.random = refuseRandom;
  tf.Variable.prototype.assign = refuseAssignment;
  engine.makeVariable = refuseVariable;
  tf.setBackend(backendName);
  try {
    return fn();
  } finally {
    Math.random = random;
    tf.Variable.prototype.assign = assign;
    engine.makeVariable = makeVariable;
    restoreBackend(previousBackend);
  }
}

/** Without a previous choice tfjs goes back to choosing at the next operation. */
function restoreBackend(name: string | undefined): void {
  if (name) {
    tf.setBackend(name);
    return;
  }
  const undecided: { backendName: string | undefined; backendInstance: unknown } = tf.engine() as never;
  undecided.backendName = undefined;
  undecided.backendInstance = undefined;
}
