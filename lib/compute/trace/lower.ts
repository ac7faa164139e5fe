// toOnnx: names the values of a program and writes it as an ONNX model.
import { encodeModel, type OnnxNode, type OnnxTensor, type OnnxValueInfo } from "../onnx/model.ts";
import { int64s, type Program, type TypedArray, type Value } from "./ir.ts";

export interface LoweringOptions {
  /** Inputs that become part of the model, such as trained weights; the others stay inputs. */
  readonly initializers?: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: TypedArray }>>;
  /** Name of the graph. */
  readonly name?: string;
  /** Key-value pairs kept in the file, readable through `readMetadata`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The bytes of an `.onnx` model whose inputs and outputs are named as in the program. */
export function toOnnx(program: Program, options: LoweringOptions = {}): Uint8Array {
  const lowering = new Lowering(program, options.initializers ?? {});
  return encodeModel({
    graphName: options.name ?? "cleanloop",
    ...lowering.run(),
    ...(options.metadata ? { metadata: options.metadata } : {}),
  });
}

class Lowering {
  private readonly names = new Map<Value, string>();
  private readonly nodes: OnnxNode[] = [];
  private readonly initializers: OnnxTensor[] = [];
  private readonly scalars = new Map<string, string>();
  private readonly arrays = new Map<string, string>();
  private readonly taken: Set<string>;

  constructor(
    private readonly program: Program,
    private readonly baked: NonNullable<LoweringOptions["initializers"]>,
  ) {
    this.taken = new Set([...program.inputs.keys(), ...program.outputs.keys()]);
  }

  run() {
    const inputs = this.declareInputs();
    for (const [name, value] of this.program.outputs) {
      if (value.producer && !this.names.has(value)) this.names.set(value, name);
    }
    for (const node of this.program.nodes) {
      this.nodes.push({
        name: this.fresh(node.kernel || node.op),
        op: node.op,
        ...(node.domain ? { domain: node.domain } : {}),
        inputs: node.inputs.map((value) => this.nameOf(value)),
        outputs: node.outputs.map((value) => this.nameOf(value)),
        attributes: node.attributes,
      });
    }
    return { inputs, outputs: this.declareOutputs(), nodes: this.nodes, initializers: this.initializers };
  }

  private declareInputs(): OnnxValueInfo[] {
    const inputs: OnnxValueInfo[] = [];
    for (const [name, value] of this.program.inputs) {
      this.names.set(value, name);
      const baked = this.baked[name];
      if (baked) this.initializers.push({ name, dtype: value.dtype, shape: baked.shape, data: baked.data });
      else inputs.push({ name, dtype: value.dtype, shape: value.shape });
    }
    const unknown = Object.keys(this.baked).find((name) => !this.program.inputs.has(name));
    if (unknown)
      throw new Error(
        `toOnnx: initializer '${unknown}' is not an input of the program (${[...this.program.inputs.keys()].join(", ")})`,
      );
    return inputs;
  }

  /** An output that is an input, a constant or another output gets an Identity of its own. */
  private declareOutputs(): OnnxValueInfo[] {
    return [...this.program.outputs].map(([name, value]) => {
      const source = this.nameOf(value);
      if (source !== name) {
        this.nodes.push({
          name: this.fresh("Identity"),
          op: "Identity",
          inputs: [source],
          outputs: [name],
          attributes: {},
        });
      }
      return { name, dtype: value.dtype, shape: value.shape };
    });
  }

  private nameOf(value: Value): string {
    const known = this.names.get(value);
    if (known) return known;
    const name = this.nameNew(value);
    this.names.set(value, name);
    return name;
  }

  private nameNew(value: Value): string {
    if (value.uniform !== undefined) return this.uniformName(value, value.uniform);
    if (value.constant) return this.constantName(value, value.constant);
    return this.fresh(value.producer?.op ?? "value");
  }

  /** A uniform is stored as one number, expanded where an operator needs the whole tensor. */
  private uniformName(value: Value, number: number): string {
    const key = `${value.dtype}:${Object.is(number, -0) ? "-0" : number}`;
    let scalar = this.scalars.get(key);
    if (!scalar) {
      scalar = this.fresh("scalar");
      this.scalars.set(key, scalar);
      this.initializers.push({ name: scalar, dtype: value.dtype, shape: [], data: scalarData(value, number) });
    }
    if (value.shape.length === 0) return scalar;
    const name = this.fresh("expanded");
    const shape = this.nameOf(int64s(value.shape));
    this.nodes.push({
      name: this.fresh("Expand"),
      op: "Expand",
      inputs: [scalar, shape],
      outputs: [name],
      attributes: {},
    });
    return name;
  }

  private constantName(value: Value, data: TypedArray): string {
    const key = data instanceof BigInt64Array ? `${value.shape}:${data}` : undefined;
    const known = key === undefined ? undefined : this.arrays.get(key);
    if (known) return known;
    const name = this.fresh("constant");
    if (key !== undefined) this.arrays.set(key, name);
    this.initializers.push({ name, dtype: value.dtype, shape: value.shape, data });
    return name;
  }

  private fresh(stem: string): string {
    let number = this.taken.size;
    while (this.taken.has(`${stem}_${number}`)) number++;
    const name = `${stem}_${number}`;
    this.taken.add(name);
    return name;
  }
}

function scalarData({ dtype }: Value, number: number): TypedArray {
  if (dtype === "float32") return Float32Array.of(number);
  if (dtype === "int32") return Int32Array.of(number);
  return dtype === "int64" ? BigInt64Array.of(BigInt(number)) : Uint8Array.of(number);
}
