// Pickles we write: the bytes that Python's pickletools documents, loaded by every Python there is and by our own reader.
import { describe, expect, test } from "bun:test";
import {
  allocate,
  bytesOf,
  type Dtype,
  encodePickle,
  type NdArray,
  ndarray,
  numpyGlobals,
  parsePickle,
  type PickleValue,
  PyFloat,
  pyFloat,
  PyTuple,
  pyTuple,
} from "@cleanloop/artifacts";
import fc from "fast-check";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, findPythons, runPython, temporaryDirectory } from "./support.ts";

const directory = temporaryDirectory();
const pythons = findPythons();
const numpys = findPythons("numpy");

const readBack = (value: PickleValue) => parsePickle(encodePickle(value), { globals: numpyGlobals });

describe("bytes", () => {
  test("hand-assembled protocol 4: {'a': [1, -1, 300, 2.5, None], 'b': (True, 'ü')}", () => {
    const value = { a: [1, -1, 300, 2.5, null], b: pyTuple(true, "ü") };
    const list = "](K\x01J\xff\xff\xff\xffM\x2c\x01G\x40\x04\x00\x00\x00\x00\x00\x00Ne";
    const expected = `\x80\x04}(\x8c\x01a${list}\x8c\x01b(\x88\x8c\x02\xc3\xbctu.`;
    expect(Buffer.from(encodePickle(value)).toString("latin1")).toBe(expected);
  });

  test.each<[string, PickleValue, string]>([
    ["0 as an int", 0, "K\x00"],
    ["0 as a float", pyFloat(0), "G\x00\x00\x00\x00\x00\x00\x00\x00"],
    ["1 as a float", pyFloat(1), "G\x3f\xf0\x00\x00\x00\x00\x00\x00"],
    ["-0, which no int is", -0, "G\x80\x00\x00\x00\x00\x00\x00\x00"],
    ["2^53, which may have been rounded", 2 ** 53, "G\x43\x40\x00\x00\x00\x00\x00\x00"],
    ["2^31 - 1, the last int of four bytes", 2 ** 31 - 1, "J\xff\xff\xff\x7f"],
    ["2^31, an int of any length", 2 ** 31, "\x8a\x05\x00\x00\x00\x80\x00"],
    ["-128 as a bigint", -128n, "\x8a\x01\x80"],
    ["128 as a bigint", 128n, "\x8a\x02\x80\x00"],
    ["0 as a bigint", 0n, "\x8a\x00"],
  ])("%s", (_name, value, expected) => {
    expect(Buffer.from(encodePickle(value)).toString("latin1")).toBe(`\x80\x04${expected}.`);
  });
});

/** A viz_metadata.pkl of a gridworld, with the edge cases of its types: gamma 0 and 1 are floats, all else are ints. */
const metadata = (gamma: number) => ({
  canonical_states: ndarray([4], Int32Array.of(14, 15, 16, 27)),
  grid_width: 13,
  grid_height: 300,
  door_markers: new Map([
    [pyTuple(15, 3), 14],
    [pyTuple(14, 2), 70_000],
  ]),
  num_eigenvectors: 10,
  geometric_gamma: pyFloat(gamma),
});

/** A Python function that spells a value with every type in it. */
const spell = `
def spell(v):
    if type(v) is dict: return "{" + ", ".join(spell(k) + ": " + spell(x) for k, x in v.items()) + "}"
    if type(v) in (list, tuple): return type(v).__name__ + "(" + ", ".join(map(spell, v)) + ")"
    if type(v).__name__ == "ndarray":
        assert v.flags.c_contiguous and v.flags.aligned and v.flags.writeable and v.dtype.isnative
        return f"{v.dtype}{list(v.shape)}{v.tolist()}"
    return f"{type(v).__name__} {v!r}"
`;

describe("loaded by Python", () => {
  /** What each Python spells; warnings are errors. */
  function spelledBy(python: string, name: string, value: PickleValue): string {
    const path = join(directory, name);
    writeFileSync(path, encodePickle(value));
    const program = `
import pickle, pickletools, sys, warnings, io
warnings.simplefilter("error")
${spell}
with open(sys.argv[1], "rb") as f: data = f.read()
value = pickle.loads(data)
assert spell(pickle._loads(data)) == spell(value)
pickletools.dis(data, out=io.StringIO())
print(spell(value))`;
    return runPython(python, program, path).trim();
  }

  test.skipIf(pythons.length === 0)("numbers, text and containers have the types meant", () => {
    const value = new Map<null | number | PyTuple | string, PickleValue>([
      ["numbers", [0, -1, 65_536, 2 ** 53 - 1, -(2 ** 53) + 1, 0.1, pyFloat(-2), NaN, Infinity, 1e300, -(2n ** 100n), 2n ** 64n]],
      ["empty", [pyTuple(), [], {}, new Map(), ""]],
      [null, [pyTuple(1), pyTuple(1, 2, 3, pyTuple("x", null, true, false))]],
      [pyTuple(0, "a"), "é😀\0\n"],
      [7, "x".repeat(300)],
    ]);
    const numbers =
      "int 0, int -1, int 65536, int 9007199254740991, int -9007199254740991, float 0.1, float -2.0, float nan, float inf, " +
      "float 1e+300, int -1267650600228229401496703205376, int 18446744073709551616";
    const expected =
      `{str 'numbers': list(${numbers}), str 'empty': list(tuple(), list(), {}, {}, str ''), NoneType None: ` +
      "list(tuple(int 1), tuple(int 1, int 2, int 3, tuple(str 'x', NoneType None, bool True, bool False))), " +
      `tuple(int 0, str 'a'): str 'é😀\\x00\\n', int 7: str '${"x".repeat(300)}'}`;
    for (const python of pythons) expect(spelledBy(python, "plain.pkl", value)).toBe(expected);
  });

  test.skipIf(numpys.length === 0)("a viz_metadata.pkl has the original's types and dtypes", () => {
    for (const [gamma, spelled] of [[0.2, "0.2"], [0, "0.0"], [1, "1.0"]] as const) {
      const expected =
        "{str 'canonical_states': int32[4][14, 15, 16, 27], str 'grid_width': int 13, str 'grid_height': int 300, " +
        "str 'door_markers': {tuple(int 15, int 3): int 14, tuple(int 14, int 2): int 70000}, str 'num_eigenvectors': int 10, " +
        `str 'geometric_gamma': float ${spelled}}`;
      for (const numpy of numpys) expect(spelledBy(numpy, "viz_metadata.pkl", metadata(gamma))).toBe(expected);
    }
  });

  test.skipIf(numpys.length === 0)("arrays of every dtype and shape", () => {
    const integers = [8, 16, 32, 64].flatMap((size) => [`uint${size}`, `int${size}`]);
    const dtypes = ["bool", ...integers, "float16", "float32", "float64"];
    const arrays = dtypes.map((dtype) => {
      const array = allocate(dtype as Dtype, [1, 2]);
      array.data[1] = (array.data instanceof BigUint64Array || array.data instanceof BigInt64Array ? 1n : 1) as never;
      return array;
    });
    const isFloat = (dtype: string) => dtype.startsWith("float");
    const spelledRow = (dtype: string) => (dtype === "bool" ? "False, True" : isFloat(dtype) ? "0.0, 1.0" : "0, 1");
    const expected = dtypes.map((dtype) => `${dtype}[1, 2][[${spelledRow(dtype)}]]`);
    arrays.push(ndarray([], Float64Array.of(2.5)), ndarray([0, 3], new Float32Array()), ndarray([300], new Float32Array(300)));
    expected.push("float64[]2.5", "float32[0, 3][]", `float32[300][${"0.0, ".repeat(299)}0.0]`);
    for (const numpy of numpys) expect(spelledBy(numpy, "arrays.pkl", arrays)).toBe(`list(${expected.join(", ")})`);
  });
});

describe("read back by our own reader", () => {
  test("a viz_metadata.pkl", () => {
    const value = readBack(metadata(1)) as Map<string, unknown>;
    expect([...value.keys()]).toEqual(Object.keys(metadata(1)));
    expect({ ...(value.get("canonical_states") as NdArray) }).toEqual(ndarray([4], Int32Array.of(14, 15, 16, 27)));
    expect([...(value.get("door_markers") as Map<unknown, unknown>)]).toEqual([[[15, 3], 14], [[14, 2], 70_000]]);
    const numbers = ["grid_width", "grid_height", "num_eigenvectors", "geometric_gamma"].map((key) => value.get(key));
    expect(numbers).toEqual([13, 300, 10, 1]);
  });

  test("any value of any nesting", () => {
    const array = fc.float64Array({ maxLength: 5 }).map((data) => ndarray([data.length], data));
    const leaf = fc.oneof(
      fc.constant(null), fc.boolean(), fc.maxSafeInteger(), fc.double(), fc.bigInt(), fc.string({ unit: "grapheme" }), array,
      fc.double().map(pyFloat),
    );
    const { value } = fc.letrec<{ value: PickleValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("value"), { maxLength: 4 }),
        fc.array(tie("value"), { maxLength: 4 }).map((items) => pyTuple(...items)),
        fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(fc.property(value, (sample) => expect(bits(readBack(sample))).toEqual(bits(asRead(sample)))), { numRuns: 300 });
  });

  /** The value with the bytes of its arrays in place of the arrays: no NaN equals another. */
  function bits(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(bits);
    if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, bits(item)]));
    const data = (value as NdArray | null)?.data;
    return ArrayBuffer.isView(data) ? Buffer.from(bytesOf(data)).toString("hex") : value;
  }

  /** What the reader makes of it: dict is Map, tuple is array, bigint is number where that is exact. */
  function asRead(value: PickleValue): unknown {
    if (value instanceof PyFloat) return value.value;
    if (value instanceof PyTuple) return value.items.map(asRead);
    if (Array.isArray(value)) return value.map(asRead);
    if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    if (typeof value !== "object" || value === null) return value;
    if ("data" in value && ArrayBuffer.isView(value.data)) return value;
    return new Map(Object.entries(value).map(([key, item]) => [key, asRead(item as PickleValue)]));
  }
});

describe("refused", () => {
  const cyclic: PickleValue[] = [];
  cyclic.push({ inner: cyclic });
  const deep = Array.from({ length: 10_000 }).reduce<PickleValue>((inner) => [inner], null);
  const wrong = (value: unknown) => value as PickleValue;
  test.each<[string, PickleValue, RegExp]>([
    ["a function", wrong({ doors: [1, () => 2] }), /got a function at \["doors"\]\[1\], wanted null, booleans/],
    ["a symbol", wrong([Symbol("x")]), /got a symbol at \[0\]/],
    ["undefined", wrong({ grid_width: undefined }), /got undefined at \["grid_width"\]/],
    ["a class", wrong(new Date(0)), /got a Date, wanted/],
    ["a set", wrong([new Set()]), /got a Set at \[0\]/],
    ["a typed array without a shape", wrong({ v: new Float32Array(2) }), /got a Float32Array at \["v"\]/],
    ["a cycle", cyclic, /got a value that contains itself at \[0\]\["inner"\]/],
    ["a nesting of 10,000 lists", deep, /got a value inside 500 others/],
    ["a bigint beyond the format", [2n ** 2039n], /got a bigint of 256 bytes at \[0\], wanted at most 255/],
    ["half a character", ["\ud800"], /got text with half a surrogate pair at \[0\]/],
    ["a list as a key", wrong(new Map([[[1, 2], 3]])), /got a dict key that Python cannot hash, wanted .*pyTuple/],
    ["a tuple with a list in it as a key", new Map([[pyTuple([1]), 3]]), /cannot hash/],
    ["two tuples that are one key", { m: new Map([[pyTuple(1, 2), 3], [pyTuple(1, 2), 4]]) }, /got the key \(1, 2\) twice at \["m"\]/],
    ["1 and True, which are one key", new Map<number | boolean, PickleValue>([[1, 0], [true, 0]]), /got the key 1 twice/],
    ["1 and 1.0, which are one key", new Map<number | PyFloat, PickleValue>([[1, 0], [pyFloat(1), 0]]), /got the key 1 twice/],
    ["an array that does not fill its shape", wrong({ dtype: "int32", shape: [3], data: new Int32Array(2) }), /2 elements, wanted 3/],
  ])("%s", (_name, value, message) => {
    expect(codeOf(() => encodePickle(value))).toBe("invalid-argument");
    expect(() => encodePickle(value)).toThrow(message);
  });

  test("the largest bigint of the format is not", () => expect(readBack(2n ** 2039n - 1n)).toBe(2n ** 2039n - 1n));

  test("a value in two places is not a cycle", () => {
    const shared = [1];
    expect(readBack([shared, shared])).toEqual([[1], [1]]);
  });
});
