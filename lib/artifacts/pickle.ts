// Reads Python pickles without running anything: plain data, plus the globals that a closed table allows.
//
// Safety: an opcode either builds plain data or is refused; a global is looked up in `globals` and is an error when
// absent; REDUCE and BUILD call only the functions of that table. Nothing recurses, so nesting cannot overflow the stack.
import { ArtifactError } from "./errors.ts";
import { literals, opcode } from "./pickle-opcodes.ts";
import { PickleStream } from "./pickle-stream.ts";

/** What an allowed Python name does; both functions are ours, with arguments from the file. */
export interface PickleGlobal {
  /** Called for `name(*args)`. */
  call?(args: readonly unknown[]): unknown;
  /** Called for `object.__setstate__(state)` on an object that `call` returned. */
  setState?(object: unknown, state: unknown): void;
}

export interface PickleOptions {
  /** The allowed names, "module name" to meaning; default none. */
  globals?: ReadonlyMap<string, PickleGlobal>;
  /** Resolves persistent ids (torch keeps its storages behind them); default: refused. */
  persistentLoad?(id: unknown): unknown;
  label?: string;
}

/**
 * The value of a pickle of protocol 2 to 5. None is null; dict is Map; set is Set; list and tuple are arrays; bytes is
 * Uint8Array; int is number, or bigint beyond 2^53. Throws `pickle-global`, `pickle-opcode`, `bad-pickle` or `truncated`.
 */
export function parsePickle(bytes: Uint8Array, options: PickleOptions = {}): unknown {
  return new Unpickler(bytes, options).run();
}

const absent: PickleGlobal = {};

class Unpickler {
  readonly #in: PickleStream;
  readonly #options: PickleOptions;
  readonly #label: string;
  #stack: unknown[] = [];
  /** The stacks below each open MARK. */
  readonly #below: unknown[][] = [];
  readonly #memo = new Map<number, unknown>();
  /** Which global made an object, for BUILD. */
  readonly #makers = new WeakMap<object, PickleGlobal>();
  readonly #names = new Map<PickleGlobal, string>();

  constructor(bytes: Uint8Array, options: PickleOptions) {
    this.#options = options;
    this.#label = options.label ?? "pickle data";
    this.#in = new PickleStream(bytes, this.#label);
  }

  run(): unknown {
    for (;;) {
      const code = this.#in.uint8();
      if (code === opcode.STOP) break;
      this.#step(code);
    }
    if (this.#stack.length !== 1 || this.#below.length > 0) throw this.#bad("stops with unfinished values");
    if (!this.#in.atEnd) throw new ArtifactError("trailing-bytes", `${this.#label}: goes on after the pickle's end.`);
    return this.#stack[0];
  }

  #step(code: number): void {
    const input = this.#in;
    const literal = literals.get(code);
    if (literal) return this.#push(literal(input));
    switch (code) {
      case opcode.PROTO: {
        const protocol = input.uint8();
        if (protocol < 2 || protocol > 5) {
          throw new ArtifactError("unsupported-version", `${this.#label}: got pickle protocol ${protocol}, wanted 2 to 5.`);
        }
        return;
      }
      case opcode.FRAME:
        input.uint64();
        return;

      case opcode.MARK:
        this.#below.push(this.#stack);
        this.#stack = [];
        return;
      case opcode.TUPLE:
      case opcode.LIST:
        return this.#push(this.#popMark());
      case opcode.FROZENSET:
        return this.#push(new Set(this.#popMark()));
      case opcode.DICT:
        return this.#push(this.#setItems(new Map(), this.#popMark()));
      case opcode.TUPLE1:
      case opcode.TUPLE2:
      case opcode.TUPLE3:
        return this.#push(this.#popMany(code - opcode.TUPLE1 + 1));
      case opcode.APPEND:
        return this.#append(this.#popMany(1));
      case opcode.APPENDS:
        return this.#append(this.#popMark());
      case opcode.SETITEM:
        return void this.#setItems(this.#peekAfter(2), this.#popMany(2));
      case opcode.SETITEMS: {
        const items = this.#popMark();
        return void this.#setItems(this.#top(), items);
      }
      case opcode.ADDITEMS: {
        const items = this.#popMark();
        const set = this.#top();
        if (!(set instanceof Set)) throw this.#bad("adds items to something that is not a set");
        for (const item of items) set.add(item);
        return;
      }

      case opcode.POP:
        if (this.#stack.length > 0) this.#stack.pop();
        else this.#popMark();
        return;
      case opcode.POP_MARK:
        this.#popMark();
        return;
      case opcode.DUP:
        return this.#push(this.#top());
      case opcode.BINPUT:
        return void this.#memo.set(input.uint8(), this.#top());
      case opcode.LONG_BINPUT:
        return void this.#memo.set(input.uint32(), this.#top());
      case opcode.MEMOIZE:
        return void this.#memo.set(this.#memo.size, this.#top());
      case opcode.BINGET:
        return this.#get(input.uint8());
      case opcode.LONG_BINGET:
        return this.#get(input.uint32());

      case opcode.GLOBAL:
        return this.#push(this.#global(input.line(), input.line()));
      case opcode.STACK_GLOBAL: {
        const [module, name] = this.#popMany(2);
        return this.#push(this.#global(String(module), String(name)));
      }
      case opcode.REDUCE:
      case opcode.NEWOBJ: {
        const [target, args] = this.#popMany(2);
        return this.#push(this.#call(target, args));
      }
      case opcode.BUILD: {
        const [state] = this.#popMany(1);
        const object = this.#top();
        const maker = (typeof object === "object" && object !== null && this.#makers.get(object)) || absent;
        if (!maker.setState) throw this.#bad("sets the state of an object that has none");
        const { setState } = maker;
        return this.#guard(() => setState(object, state));
      }
      case opcode.BINPERSID: {
        const [id] = this.#popMany(1);
        if (!this.#options.persistentLoad) throw this.#refused("BINPERSID (a reference to data outside the file)");
        return this.#push(this.#options.persistentLoad(id));
      }
      default:
        throw this.#refused(`0x${code.toString(16).padStart(2, "0")}`);
    }
  }

  #push(value: unknown): void {
    this.#stack.push(value);
  }

  #top(): unknown {
    return this.#peekAfter(0);
  }

  #peekAfter(count: number): unknown {
    if (this.#stack.length <= count) throw this.#bad("takes a value from an empty stack");
    return this.#stack[this.#stack.length - 1 - count];
  }

  #popMany(count: number): unknown[] {
    if (this.#stack.length < count) throw this.#bad("takes a value from an empty stack");
    return this.#stack.splice(this.#stack.length - count, count);
  }

  #popMark(): unknown[] {
    const below = this.#below.pop();
    if (!below) throw this.#bad("closes a mark that was never opened");
    const items = this.#stack;
    this.#stack = below;
    return items;
  }

  #append(items: unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#bad("appends to something that is not a list");
    for (const item of items) list.push(item);
  }

  #setItems(dict: unknown, items: unknown[]): Map<unknown, unknown> {
    if (!(dict instanceof Map) || items.length % 2 !== 0) throw this.#bad("sets items of something that is not a dict");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
    return dict;
  }

  #get(index: number): void {
    if (!this.#memo.has(index)) throw this.#bad(`refers to value ${index}, which it never stored`);
    this.#push(this.#memo.get(index));
  }

  #global(module: string, name: string): PickleGlobal {
    const found = this.#options.globals?.get(`${module} ${name}`);
    if (!found) {
      throw new ArtifactError(
        "pickle-global",
        `${this.#label}: asks for the Python name ${module}.${name}, which is not on the allowed list. ` +
          "Nothing was loaded. Save plain arrays instead, for example with np.savez or safetensors.",
      );
    }
    this.#names.set(found, `${module}.${name}`);
    return found;
  }

  #call(target: unknown, args: unknown): unknown {
    const global = target as PickleGlobal;
    const name = this.#names.get(global);
    if (!name || !Array.isArray(args)) throw this.#bad("calls something that is not an allowed name");
    const { call } = global;
    if (!call) throw this.#bad(`calls ${name}, which is data only`);
    const made = this.#guard(() => call(args));
    if (typeof made === "object" && made !== null) this.#makers.set(made, global);
    return made;
  }

  /** Arguments come from the file, so whatever they break is the file's fault. */
  #guard<T>(action: () => T): T {
    try {
      return action();
    } catch (cause) {
      if (cause instanceof ArtifactError) throw cause;
      throw this.#bad(`gives a Python name wrong arguments: ${(cause as Error).message}`);
    }
  }

  #bad(reason: string): ArtifactError {
    return new ArtifactError("bad-pickle", `${this.#label}: the pickle ${reason} (byte ${this.#in.position}).`);
  }

  #refused(what: string): ArtifactError {
    return new ArtifactError(
      "pickle-opcode",
      `${this.#label}: the pickle uses opcode ${what} at byte ${this.#in.position - 1}, which this reader refuses. ` +
        "Save it with protocol 2 or later, as plain data and arrays.",
    );
  }
}
