// Denormal numbers on compute threads: flushed where the platform is known, and never the reason for a slow step.
import { expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import { createTrainingSession } from "@cleanloop/compute";

/** Two sessions in a row, because the runtime itself flushes denormals only on the first calling thread of a process. */
for (const ordinal of ["first", "second"]) {
  test.if(["linux", "darwin"].includes(process.platform))(`products below 1.2e-38 are zero on the ${ordinal} session's threads`, async () => {
    const length = 64;
    const session = await createTrainingSession({
      // gradient of sum(p * tiny) is tiny: denormal, and so is its share of the first moment
      loss: ({ p }, { tiny }) => ({ loss: tf.sum(tf.mul(p, tiny)) as tf.Scalar }),
      params: { p: { shape: [length], data: new Float32Array(length).fill(1) } },
      inputs: { tiny: { shape: [length] } },
      threads: 2,
    });
    session.inputs.tiny.fill(1e-38); // normal as an input, denormal once multiplied by 1 - beta1
    await session.step({ learningRate: 1e-3 });
    expect(session.exportState().firstMoment.p.data.every((value) => value === 0)).toBe(true);
    await session.close();
  });
}
