// Run names: <label>__<experiment>__<number>__<seed>__<unix seconds>, unambiguous and safe in a path.
import { expect, test } from "bun:test";
import { parseRunName, runName } from "@cleanloop/artifacts";
import fc from "fast-check";
import { codeOf } from "./support.ts";

const parts = { label: "GridRoom-16", experiment: "allo_v2.1", number: 3, seed: 42, unixSeconds: 1750000000 };

test("the five parts, joined by double underscores", () => {
  expect(runName(parts)).toBe("GridRoom-16__allo_v2.1__3__42__1750000000");
  expect(parseRunName("GridRoom-16__allo_v2.1__3__42__1750000000")).toEqual(parts);
});

test("parts that could not be told apart, or would leave the directory, are refused", () => {
  for (const experiment of ["", "a__b", "_a", "a_", "../a", "a/b", "a b", ".a", "a\n"]) {
    expect(codeOf(() => runName({ ...parts, experiment }))).toBe("invalid-argument");
  }
  for (const seed of [-1, 0.5, NaN, 2 ** 53]) {
    expect(codeOf(() => runName({ ...parts, seed }))).toBe("invalid-argument");
  }
});

test("other names are not run names", () => {
  for (const name of ["wandb", "a__b__1__2", "a__b__1__2__x", "a__b__1__2__3__4__", "__b__1__2__3"]) {
    expect(parseRunName(name)).toBe(null);
  }
});

test("a name that no file system takes is refused, whatever part makes it long", () => {
  const parts = { label: "open", number: 1, seed: 42, unixSeconds: 1_766_000_000 };
  const shortest = runName({ ...parts, experiment: "x" }).length;
  expect(runName({ ...parts, experiment: "x".repeat(201 - shortest) })).toHaveLength(200);
  expect(() => runName({ ...parts, experiment: "x".repeat(202 - shortest) })).toThrow("got a name of 201 characters, wanted at most 200");
});

test("every name that can be made is parsed back", () => {
  const word = fc.stringMatching(/^[a-zA-Z0-9]+(_[a-z.+-]+)*$/, { maxLength: 80 }); // two of them and the numbers fit
  const count = fc.nat();
  const any = fc.record({ label: word, experiment: word, number: count, seed: count, unixSeconds: count });
  fc.assert(fc.property(any, (value) => expect(parseRunName(runName(value))).toEqual(value)));
});
