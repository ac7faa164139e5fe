// A copy of a session's state. Not structuredClone: the arrays lie in shared memory, which it shares instead of copying.
import type { HostTensor, TrainingState } from "@cleanloop/compute";

/** The state as it is now, whatever the session does next. */
export function snapshot({ stepCount, ...tensors }: TrainingState): TrainingState {
  const copied = (tree: Record<string, HostTensor>) =>
    Object.fromEntries(Object.entries(tree).map(([name, { shape, data }]) => [name, { shape: [...shape], data: Float32Array.from(data) }]));
  const { params, firstMoment, secondMoment, average, carry } = tensors;
  return {
    params: copied(params), firstMoment: copied(firstMoment), secondMoment: copied(secondMoment), average: copied(average), carry: copied(carry), stepCount,
  };
}
