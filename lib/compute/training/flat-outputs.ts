// Spares the reshapes in front of outputs that are written into flat memory, where a shape means nothing.
import type { Program, Value } from "../trace/ir.ts";
import { eliminateDeadCode } from "../trace/rewrite.ts";

/** The program with every output in the shape in which it was computed; its elements and their order stay. */
export function withFlatOutputs(program: Program): Program {
  const outputs = [...program.outputs].map(([name, value]): [string, Value] => [name, beforeReshapes(value)]);
  return eliminateDeadCode({ ...program, outputs: new Map(outputs) });
}

function beforeReshapes(value: Value): Value {
  const { producer } = value;
  return producer?.op === "Reshape" ? beforeReshapes(producer.inputs[0]) : value;
}
