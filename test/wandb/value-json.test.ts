// JSON with the bare words that Python's json module writes for numbers that are not finite.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";

import { WandbError, fromValueJson, toValueJson } from "@cleanloop/wandb";

describe("toValueJson", () => {
  test("writes bare words at any depth", () => {
    expect(toValueJson(NaN)).toBe("NaN");
    expect(toValueJson({ a: [Infinity, -Infinity, 1.5], b: { c: NaN } })).toBe(
      '{"a":[Infinity,-Infinity,1.5],"b":{"c":NaN}}',
    );
  });
  test("writes typed arrays as lists, bigints as numbers, dates by toJSON", () => {
    expect(toValueJson(new Float64Array([0.5, NaN]))).toBe("[0.5,NaN]");
    expect(toValueJson(new BigInt64Array([1n]))).toBe("[1]");
    expect(toValueJson(2n ** 60n)).toBe("1152921504606846976");
    expect(toValueJson(new Date(0))).toBe('"1970-01-01T00:00:00.000Z"');
  });
  test("is JSON.stringify for plain values", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => toValueJson(value) === JSON.stringify(value)));
    const sparse = { a: undefined, b: [undefined, () => 1], c: Symbol("s") };
    expect(toValueJson(sparse)).toBe(JSON.stringify(sparse));
  });
  test("refuses what has no JSON", () => {
    const circular: Record<string, unknown> = {};
    circular.self = [circular];
    const throwing = {
      toJSON(): never {
        throw new RangeError("boom");
      },
    };
    for (const value of [undefined, () => 1, Symbol("s"), circular, throwing]) {
      expect(() => toValueJson(value)).toThrow(expect.objectContaining({ code: "bad-value" }));
    }
  });
  test("takes an object twice that does not contain itself", () => {
    const shared = { a: 1 };
    expect(toValueJson([shared, { shared }])).toBe('[{"a":1},{"shared":{"a":1}}]');
  });
});

describe("fromValueJson", () => {
  test("reads bare words, and leaves them alone inside texts", () => {
    expect(fromValueJson('{"NaN":"a NaN, \\"NaN\\" and Infinity","b":[NaN,-Infinity,Infinity]}')).toEqual({
      NaN: 'a NaN, "NaN" and Infinity',
      b: [NaN, -Infinity, Infinity],
    });
    expect(fromValueJson('["NaN",NaN]')).toEqual(["NaN", NaN]);
  });
  test("is the inverse of toValueJson", () => {
    const value = fc.jsonValue().chain((json) => fc.double().map((number) => ({ json, number })));
    fc.assert(
      fc.property(value, (given) => {
        expect(fromValueJson(toValueJson(given))).toEqual(JSON.parse(JSON.stringify(given), revive(given.number)));
      }),
    );
  });
  test("refuses what is no JSON", () => {
    for (const text of ["", "nan", "[NaN", "{a:1}"]) {
      expect(() => fromValueJson(text)).toThrow(WandbError);
    }
  });
});

/** JSON.stringify turns the number into null when it is not finite, and -0 into 0. */
function revive(number: number): (key: string, value: unknown) => unknown {
  return (key, value) => (key === "number" && !Number.isFinite(number) ? number : value);
}
