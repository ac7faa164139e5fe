// Pickles: values as Python writes them in every binary protocol, and nothing that could run code.
import { describe, expect, test } from "bun:test";
import { ArtifactError, type NdArray, numpyGlobals, parsePickle } from "@cleanloop/artifacts";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, findPython, runPython, temporaryDirectory } from "./support.ts";

const directory = temporaryDirectory();
const python = findPython();
const numpy = findPython("numpy");

/** Opcodes as text, in Latin-1. */
const bytes = (text: string) => Buffer.from(text, "latin1");

describe("values", () => {
  test("hand-assembled protocol 2: {'a': [1, -1, 2.5, None], 'b': (True, 'ü')}", () => {
    const stream = "\x80\x02}q\x00(X\x01\x00\x00\x00a]q\x01(K\x01J\xff\xff\xff\xffG\x40\x04\x00\x00\x00\x00\x00\x00Ne" +
      "X\x01\x00\x00\x00b\x88X\x02\x00\x00\x00\xc3\xbc\x86u.";
    expect(parsePickle(bytes(stream))).toEqual(
      new Map<string, unknown>([
        ["a", [1, -1, 2.5, null]],
        ["b", [true, "ü"]],
      ]),
    );
  });

  test("integers of any size: 2^53 - 1 is a number, -2^64 a bigint", () => {
    expect(parsePickle(bytes("\x80\x02\x8a\x07\xff\xff\xff\xff\xff\xff\x1f."))).toBe(2 ** 53 - 1);
    expect(parsePickle(bytes("\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\xff."))).toBe(-(2n ** 64n));
    expect(parsePickle(bytes("\x80\x02\x8a\x00."))).toBe(0);
  });

  test("a memoized list is one object in both places", () => {
    const [first, second] = parsePickle(bytes("\x80\x02]q\x00h\x00\x86.")) as unknown[];
    expect(first).toBe(second);
  });

  test("100,000 nested lists do not overflow the stack", () => {
    let nested = parsePickle(bytes(`\x80\x02${"]".repeat(100_000)}${"a".repeat(99_999)}.`));
    let depth = 0;
    for (; Array.isArray(nested); nested = nested[0]) depth++;
    expect(depth).toBe(100_000);
  });

  test.skipIf(!python)("Python's own pickles of protocols 2 to 5 come back", () => {
    const program = `
import pickle, sys
value = {"none": None, "flags": [True, False], "ints": (0, 255, 256, 65536, -1, 2**31, 2**53, -2**100), "float": 1e-300,
  "text": "\\u00e9\\U0001f600" * 100, "bytes": bytes(range(256)), "set": {1, 2}, "frozen": frozenset([3]),
  "nested": [[[]], {}, ()], "long": list(range(3000)), (1, 2): "tuple key"}
for p in (2, 3, 4, 5):
    with open(f"{sys.argv[1]}/p{p}.pkl", "wb") as f: pickle.dump(value, f, protocol=p)`;
    runPython(python, program, directory);
    // Protocol 2 spells sets and bytes as calls of these names.
    const toSet = { call: ([items]: readonly unknown[]) => new Set(items as unknown[]) };
    const globals = new Map([...numpyGlobals, ["__builtin__ set", toSet], ["__builtin__ frozenset", toSet]]);
    globals.set("builtins set", toSet).set("builtins frozenset", toSet);
    for (const protocol of [2, 3, 4, 5]) {
      const value = parsePickle(readFileSync(join(directory, `p${protocol}.pkl`)), { globals }) as Map<unknown, unknown>;
      expect(value.get("none")).toBe(null);
      expect(value.get("flags")).toEqual([true, false]);
      expect(value.get("ints")).toEqual([0, 255, 256, 65536, -1, 2 ** 31, 2n ** 53n, -(2n ** 100n)]);
      expect(value.get("float")).toBe(1e-300);
      expect(value.get("text")).toBe("é😀".repeat(100));
      expect(value.get("bytes")).toEqual(Uint8Array.from({ length: 256 }, (_, i) => i));
      expect([value.get("set"), value.get("frozen")]).toEqual([new Set([1, 2]), new Set([3])]);
      expect(value.get("nested")).toEqual([[[]], new Map(), []]);
      expect(value.get("long")).toEqual(Array.from({ length: 3000 }, (_, i) => i));
      expect([...value].at(-1)).toEqual([[1, 2], "tuple key"]);
    }
  });

  test.skipIf(!numpy)("a viz_metadata.pkl, with its arrays and tuple keys, is read in every protocol", () => {
    const program = `
import pickle, sys, numpy as np
value = {"canonical_states": np.arange(5, dtype=np.int32), "grid_width": 13, "geometric_gamma": 0.9,
  "door_markers": {(3, 4): 1}, "order": np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]), "scalar": np.float32(0.5),
  "flag": np.bool_(True), "mask": np.array([True, False])}
for p in (2, 3, 4, 5):
    with open(f"{sys.argv[1]}/viz{p}.pkl", "wb") as f: pickle.dump(value, f, protocol=p)
with open(f"{sys.argv[1]}/objects.pkl", "wb") as f: pickle.dump(np.array([{}], dtype=object), f)
with open(f"{sys.argv[1]}/big.pkl", "wb") as f: pickle.dump(np.arange(3, dtype=">i4"), f)`;
    runPython(numpy, program, directory);
    const read = (name: string) => parsePickle(readFileSync(join(directory, name)), { globals: numpyGlobals });
    for (const protocol of [2, 3, 4, 5]) {
      const value = read(`viz${protocol}.pkl`) as Map<string, NdArray>;
      expect({ ...value.get("canonical_states") }).toMatchObject({ dtype: "int32", shape: [5] });
      expect(value.get("canonical_states")?.data).toEqual(new Int32Array([0, 1, 2, 3, 4]));
      expect(value.get("order")?.data).toEqual(new Float64Array([1, 2, 3, 4]));
      expect(value.get("mask")).toMatchObject({ dtype: "bool", data: new Uint8Array([1, 0]) });
      expect([...(value.get("door_markers") as unknown as Map<unknown, unknown>)]).toEqual([[[3, 4], 1]]);
      expect([value.get("scalar"), value.get("flag")] as unknown[]).toEqual([0.5, true]);
    }
    expect(codeOf(() => read("objects.pkl"))).toBe("object-array");
    expect(codeOf(() => read("big.pkl"))).toBe("big-endian");
  });
});

describe("refused", () => {
  const cases: [string, string, string][] = [
    ["os.system", "pickle-global", "\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R."],
    ["builtins.eval by STACK_GLOBAL", "pickle-global", "\x80\x04\x8c\x08builtins\x8c\x04eval\x93."],
    ["a dotted name", "pickle-global", "\x80\x04\x8c\x05numpy\x8c\x07dtype.x\x93."],
    ["numpy's loader of files", "pickle-global", "\x80\x02cnumpy\nload\n."],
    ["a call of text", "bad-pickle", "\x80\x02X\x02\x00\x00\x00id)R."],
    ["a call of a list made in the file", "bad-pickle", "\x80\x02])R."],
    ["an instance by INST", "pickle-opcode", "(iposix\nsystem\n."],
    ["an instance by OBJ", "pickle-opcode", "\x80\x02(cnumpy\nndarray\no."],
    ["keyword arguments by NEWOBJ_EX", "pickle-opcode", "\x80\x04cnumpy\nndarray\n)}\x92."],
    ["the extension registry", "pickle-opcode", "\x80\x02\x82\x01."],
    ["a persistent id", "pickle-opcode", "\x80\x02X\x01\x00\x00\x00aQ."],
    ["an out-of-band buffer", "pickle-opcode", "\x80\x05\x97."],
    ["protocol 0", "pickle-opcode", "I1\n."],
    ["protocol 6", "unsupported-version", "\x80\x06N."],
    ["state for plain data", "bad-pickle", "\x80\x02]}b."],
    ["numpy.ndarray called", "bad-pickle", "\x80\x02cnumpy\nndarray\n)R."],
    ["an empty stack", "bad-pickle", "\x80\x02."],
    ["two values left", "bad-pickle", "\x80\x02NN."],
    ["an open mark", "bad-pickle", "\x80\x02(N."],
    ["a mark that was never opened", "bad-pickle", "\x80\x02t."],
    ["a memo entry that was never stored", "bad-pickle", "\x80\x02h\x07."],
    ["an odd number of dict items", "bad-pickle", "\x80\x02}(Nu."],
    ["items of a list", "bad-pickle", "\x80\x02]NNs."],
    ["an append to a dict", "bad-pickle", "\x80\x02}Na."],
    ["text longer than the file", "truncated", "\x80\x02X\xff\xff\xff\x7fa."],
    ["a length of 2^64 - 1", "truncated", "\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff."],
    ["something after the end", "trailing-bytes", "\x80\x02N.N."],
  ];
  for (const [name, code, stream] of cases) {
    test(`${name}: ${code}`, () => expect(codeOf(() => parsePickle(bytes(stream), { globals: numpyGlobals }))).toBe(code));
  }

  test("the error names the Python name", () => {
    expect(() => parsePickle(bytes("\x80\x02cposix\nsystem\n."), { label: "model.pkl" })).toThrow(
      /model\.pkl: asks for the Python name posix\.system.*np\.savez/,
    );
  });

  test.skipIf(!python)("a pickle that would create a file when loaded by Python does nothing here", () => {
    const program = `
import pickle, sys, os
class Evil:
    def __reduce__(self): return (open, (sys.argv[1] + "/owned", "w"))
with open(sys.argv[1] + "/evil.pkl", "wb") as f: pickle.dump({"a": Evil()}, f)`;
    runPython(python, program, directory);
    const read = () => parsePickle(readFileSync(join(directory, "evil.pkl")), { globals: numpyGlobals });
    expect(codeOf(read)).toBe("pickle-global");
    expect(existsSync(join(directory, "owned"))).toBe(false);
  });

  test("a stream cut anywhere, or with a byte changed, is an ArtifactError or a value, never a crash", () => {
    const list = "]q\x01(K\x01M\x02\x01G\x40\x04\x00\x00\x00\x00\x00\x00Ne";
    const whole = bytes(`\x80\x02}q\x00(X\x01\x00\x00\x00a${list}X\x01\x00\x00\x00b\x88u.`);
    for (let length = 0; length < whole.byteLength; length++) {
      expect(codeOf(() => parsePickle(whole.subarray(0, length)))).toBe("truncated");
    }
    for (let at = 0; at < whole.byteLength; at++) {
      for (const flip of [0x01, 0x10, 0x80]) {
        const changed = Buffer.from(whole);
        changed[at] ^= flip;
        try {
          parsePickle(changed, { globals: numpyGlobals });
        } catch (error) {
          expect(error).toBeInstanceOf(ArtifactError);
        }
      }
    }
  });
});
