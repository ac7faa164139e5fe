// Writes Python pickles of plain data and NumPy arrays: protocol 4, which every Python since 3.4 and our own reader load.
//
// The only Python names in the stream are NumPy's, under the module that NumPy 1 gave them: NumPy 2 keeps it for pickles.
import { ArtifactError } from "./errors.ts";
import { bytesOf, type NdArray, ndarray } from "./ndarray.ts";
import { descrOf } from "./numpy-dtype.ts";
import { opcode } from "./pickle-opcodes.ts";
import { type PickleKey, type PickleValue, PyFloat, PyTuple } from "./pickle-values.ts";

const protocol = 4;
/** Far above any data, far below the depth at which recursion here would overflow the stack. */
const maxDepth = 500;
const maxLongSizeBytes = 255;
const supported = "null, booleans, numbers, bigints, text, arrays, Maps, plain objects, pyTuple, pyFloat or NdArray";

/**
 * The pickle of a value. null is None; a number is an int when it is a safe integer, else a float (-0 too); bigint is int;
 * array is list; Map and plain object are dict; {@link PyTuple}, {@link PyFloat} and NdArray are what they say. A value met
 * twice is written twice. Throws `invalid-argument`, naming the place, for anything else: other classes, undefined, cycles,
 * bigints beyond 255 bytes, text with half a surrogate pair, dict keys that Python cannot hash or holds for equal.
 */
export function encodePickle(value: PickleValue): Uint8Array {
  const pickler = new Pickler();
  pickler.write(value);
  return pickler.finish();
}

class Pickler {
  readonly #chunks: Uint8Array[] = [Uint8Array.of(opcode.PROTO, protocol)];
  /** The containers around the present value and, as Python would index them, the way to it. */
  readonly #open: object[] = [];
  readonly #path: string[] = [];

  finish(): Uint8Array {
    this.#op(opcode.STOP);
    return Buffer.concat(this.#chunks);
  }

  write(value: PickleValue): void {
    if (value === null) return this.#op(opcode.NONE);
    switch (typeof value) {
      case "boolean":
        return this.#op(value ? opcode.NEWTRUE : opcode.NEWFALSE);
      case "number":
        return Number.isSafeInteger(value) && !Object.is(value, -0) ? this.#int(value) : this.#float(value);
      case "bigint":
        return this.#long(value);
      case "string":
        return this.#text(value);
      case "object":
        return value instanceof PyFloat ? this.#float(value.value) : this.#container(value);
      default:
        throw this.#bad(value === undefined ? "undefined" : `a ${typeof value}`);
    }
  }

  #container(value: Exclude<PickleValue, PickleKey> | PyTuple): void {
    if (this.#open.includes(value)) throw this.#bad("a value that contains itself");
    if (this.#open.length === maxDepth) throw this.#bad(`a value inside ${maxDepth} others`, "less depth");
    this.#open.push(value);
    if (value instanceof PyTuple) this.#tuple(value.items);
    else if (Array.isArray(value)) this.#list(value);
    else if (value instanceof Map) this.#dict([...value]);
    else if (isNdArray(value)) this.#array(value);
    else if (isPlainObject(value)) this.#dict(Object.entries(value));
    else throw this.#bad(`a ${value.constructor.name}`);
    this.#open.pop();
  }

  #int(value: number): void {
    if (value !== (value | 0)) this.#long(BigInt(value));
    else if (value >= 0 && value < 2 ** 8) this.#op(opcode.BININT1, value);
    else if (value >= 0 && value < 2 ** 16) this.#op(opcode.BININT2, ...littleEndian(value, 2));
    else this.#op(opcode.BININT, ...littleEndian(value, 4));
  }

  #long(value: bigint): void {
    const bytes = twosComplement(value);
    if (bytes.length > maxLongSizeBytes) {
      throw this.#bad(`a bigint of ${bytes.length} bytes`, `at most ${maxLongSizeBytes}`);
    }
    this.#op(opcode.LONG1, bytes.length, ...bytes);
  }

  #float(value: number): void {
    const bytes = new Uint8Array(9);
    bytes[0] = opcode.BINFLOAT;
    new DataView(bytes.buffer).setFloat64(1, value, false);
    this.#chunks.push(bytes);
  }

  #text(value: string): void {
    if (!value.isWellFormed()) throw this.#bad("text with half a surrogate pair", "whole characters");
    const bytes = Buffer.from(value);
    if (bytes.length < 2 ** 8) this.#op(opcode.SHORT_BINUNICODE, bytes.length);
    else this.#op(opcode.BINUNICODE, ...littleEndian(bytes.length, 4));
    this.#chunks.push(bytes);
  }

  #bytes(value: Uint8Array): void {
    if (value.length < 2 ** 8) this.#op(opcode.SHORT_BINBYTES, value.length);
    else if (value.length < 2 ** 32) this.#op(opcode.BINBYTES, ...littleEndian(value.length, 4));
    else this.#op(opcode.BINBYTES8, ...littleEndian(value.length, 8));
    this.#chunks.push(value);
  }

  #list(items: readonly PickleValue[]): void {
    this.#op(opcode.EMPTY_LIST, opcode.MARK);
    this.#items(items);
    this.#op(opcode.APPENDS);
  }

  #tuple(items: readonly PickleValue[]): void {
    this.#op(opcode.MARK);
    this.#items(items);
    this.#op(opcode.TUPLE);
  }

  #items(items: readonly PickleValue[]): void {
    for (let i = 0; i < items.length; i++) this.#at(String(i), () => this.write(items[i]));
  }

  #dict(entries: readonly (readonly [PickleKey, PickleValue])[]): void {
    const identities = new Set<string>();
    this.#op(opcode.EMPTY_DICT, opcode.MARK);
    for (const [key, value] of entries) {
      const identity = this.#identityOf(key);
      if (identities.has(identity)) throw this.#bad(`the key ${identity} twice`, "keys that differ in Python");
      identities.add(identity);
      this.write(key);
      this.#at(identity, () => this.write(value));
    }
    this.#op(opcode.SETITEMS);
  }

  /** A text that is equal for keys that are equal in Python, where True, 1 and 1.0 are one key. */
  #identityOf(key: PickleKey): string {
    if (key === null) return "None";
    if (typeof key === "string") return JSON.stringify(key);
    if (key instanceof PyTuple) return `(${key.items.map((item) => this.#identityOf(item as PickleKey)).join(", ")})`;
    if (typeof key === "object" && !(key instanceof PyFloat)) {
      throw this.#bad("a dict key that Python cannot hash", "null, booleans, numbers, text or pyTuples of them as keys");
    }
    const number = key instanceof PyFloat ? key.value : Number(key);
    return String(Number.isInteger(number) ? BigInt(typeof key === "bigint" ? key : number) : number);
  }

  /** `_reconstruct(ndarray, (0,), b"b")`, then its state: version, shape, dtype, Fortran order, data. */
  #array(array: NdArray): void {
    // Anybody can write such an object by hand; this checks it.
    const { dtype, shape, data } = ndarray(array.shape, array.data as never, array.dtype);
    const [order, ...code] = descrOf(dtype);
    this.#global("numpy.core.multiarray", "_reconstruct");
    this.#global("numpy", "ndarray");
    this.#tuple([0]);
    this.#bytes(Buffer.from("b"));
    this.#op(opcode.TUPLE3, opcode.REDUCE, opcode.MARK);
    this.#int(1);
    this.#tuple(shape);
    this.#global("numpy", "dtype");
    this.#tuple([code.join(""), false, true]);
    this.#op(opcode.REDUCE);
    this.#tuple([3, order, null, null, null, -1, -1, 0]);
    this.#op(opcode.BUILD, opcode.NEWFALSE);
    this.#bytes(bytesOf(data));
    this.#op(opcode.TUPLE, opcode.BUILD);
  }

  #global(module: string, name: string): void {
    this.#text(module);
    this.#text(name);
    this.#op(opcode.STACK_GLOBAL);
  }

  #op(...bytes: readonly number[]): void {
    this.#chunks.push(Uint8Array.from(bytes));
  }

  #at(index: string, action: () => void): void {
    this.#path.push(`[${index}]`);
    action();
    this.#path.pop();
  }

  #bad(what: string, wanted = supported): ArtifactError {
    const place = this.#path.length > 0 ? ` at ${this.#path.join("")}` : "";
    return new ArtifactError("invalid-argument", `encodePickle: got ${what}${place}, wanted ${wanted}.`);
  }
}

function isNdArray(value: object): value is NdArray {
  return "dtype" in value && "shape" in value && "data" in value && ArrayBuffer.isView(value.data);
}

function isPlainObject(value: object): value is Record<string, PickleValue> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The lowest bytes of an integer; two's complement when it is negative. */
function littleEndian(value: number, sizeBytes: number): number[] {
  return Array.from({ length: sizeBytes }, (_, i) => Number(BigInt.asUintN(8, BigInt(value) >> BigInt(8 * i))));
}

/** The fewest bytes that hold a number and its sign. */
function twosComplement(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 8n) {
    if ((rest === 0n || rest === -1n) && (bytes.at(-1) ?? 0) >> 7 === Number(-rest)) return bytes;
    bytes.push(Number(BigInt.asUintN(8, rest)));
  }
}
