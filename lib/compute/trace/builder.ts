// Builds a program node by node; an expression that already exists is returned instead of emitted again.
import { type Attribute, type DType, type Node, type Value } from "./ir.ts";

export interface Emission {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly { readonly shape: readonly number[]; readonly dtype: DType }[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** Rewrites one emission into equivalent values, or declines with undefined. Sees already rewritten inputs. */
export type Rule = (emission: Emission, builder: GraphBuilder) => Value[] | undefined;

/** Constants of up to this many elements are compared by content, larger ones by identity. */
const comparedElements = 256;

export class GraphBuilder {
  readonly nodes: Node[] = [];
  /** The tfjs kernel being recorded and the model line that called it: stamped on every node. */
  origin: { kernel: string; source?: string } = { kernel: "" };
  private readonly numbering = new Map<string, Value[]>();
  private readonly ids = new Map<Value | object, number>();

  /** `useCount` says how many consumers a value has, for rules that would otherwise duplicate work. */
  constructor(
    private readonly rules: readonly Rule[] = [],
    readonly useCount: (value: Value) => number = () => 1,
  ) {}

  /** Applies the rules, then value numbering, then appends the node; returns its outputs. */
  emit(emission: Emission): Value[] {
    for (const rule of this.rules) {
      const values = rule(emission, this);
      if (values) return values;
    }
    const key = this.keyOf(emission);
    const known = this.numbering.get(key);
    if (known) return known;
    const node: Node = {
      op: emission.op,
      inputs: [...emission.inputs],
      outputs: [],
      attributes: { ...emission.attributes },
      kernel: this.origin.kernel,
    };
    if (emission.domain) node.domain = emission.domain;
    if (this.origin.source) node.source = this.origin.source;
    node.outputs = emission.outputs.map(({ shape, dtype }) => ({ shape: [...shape], dtype, producer: node }));
    this.numbering.set(key, node.outputs);
    this.nodes.push(node);
    return node.outputs;
  }

  /** `emit` for the common case of one output. */
  emitOne(
    op: string,
    inputs: readonly Value[],
    shape: readonly number[],
    attributes: Readonly<Record<string, Attribute>> = {},
    dtype: DType = inputs[0]?.dtype ?? "float32",
    domain?: string,
  ): Value {
    return this.emit({ op, inputs, outputs: [{ shape, dtype }], attributes, ...(domain ? { domain } : {}) })[0];
  }

  /** The output of an existing node with this operator and inputs, if any. */
  find(op: string, inputs: readonly Value[], output: { shape: readonly number[]; dtype: DType }): Value | undefined {
    return this.numbering.get(this.keyOf({ op, inputs, outputs: [output] }))?.[0];
  }

  private keyOf(emission: Emission): string {
    const outputs = emission.outputs.map((output) => `${output.dtype}[${output.shape}]`).join();
    const inputs = emission.inputs.map((value) => this.idOf(value)).join();
    return `${emission.domain ?? ""}:${emission.op}(${inputs})${JSON.stringify(emission.attributes ?? {})}->${outputs}`;
  }

  private idOf(value: Value): string {
    if (value.uniform !== undefined) {
      return `${Object.is(value.uniform, -0) ? "-0" : value.uniform}:${value.dtype}[${value.shape}]`;
    }
    const data = value.constant;
    if (data && data.length <= comparedElements) return `{${data}}:${value.dtype}[${value.shape}]`;
    const identity = data ?? value;
    const id = this.ids.get(identity) ?? this.ids.size;
    this.ids.set(identity, id);
    return data ? `#${id}[${value.shape}]` : `#${id}`;
  }
}
