// Splits: the published one number by number, and no character in two parts, whatever the source.

import { expect, test } from "bun:test";
import {
  identitiesByAppearance,
  publishedOrder,
  seededOrder,
  splitByIdentity,
  splitCatalogue,
  splitPair,
  syntheticSource,
} from "@cleanloop/data";
import type { SpriteSplit } from "@cleanloop/data";

const source = syntheticSource(["slash"]);
const characterOf = (index: number) => source.attributes?.[index * 6 + 5] as number;
const directionOf = (index: number) => source.attributes?.[index * 6 + 4] as number;
const charactersOf = (rows: Int32Array) => new Set(Array.from(rows, characterOf));

function expectDisjoint({ train, validation, test: held }: SpriteSplit, of = charactersOf) {
  expect(of(train).intersection(of(validation)).size).toBe(0);
  expect(of(train).intersection(of(held)).size).toBe(0);
  expect(of(validation).intersection(of(held)).size).toBe(0);
}

test("the published characters: 1000 train, 296 held out, in NumPy's order", () => {
  const { train, validation, test: held } = splitCatalogue(source, publishedOrder(), "original");
  expect([train.length, validation.length, held.length]).toEqual([3000, 888, 888]);
  expect(validation).toEqual(held);
  // np.concatenate over directions, then RandomState(0).permutation(3000)[:5]: computed with NumPy 1.24.
  expect(Array.from(train.subarray(0, 5), (index) => [characterOf(index), directionOf(index)])).toEqual([
    [1148, 0],
    [1032, 1],
    [959, 1],
    [14, 2],
    [982, 2],
  ]);
  const heldOut = charactersOf(held);
  expect(heldOut.size).toBe(296);
  for (const character of [884, 1285, 252, 297, 947, 713, 1063, 643, 299, 523])
    expect(heldOut.has(character)).toBe(true);
});

test("by identity: 3000 / 600 / 288 sequences of 1000 / 200 / 96 characters, none shared, nothing lost", () => {
  const split = splitCatalogue(source, publishedOrder());
  expectDisjoint(split);
  expect([split.train, split.validation, split.test].map((rows) => rows.length)).toEqual([3000, 600, 288]);
  expect([split.train, split.validation, split.test].map((rows) => charactersOf(rows).size)).toEqual([1000, 200, 96]);
  expect(new Set([...split.train, ...split.validation, ...split.test]).size).toBe(3888);
  expect(split.train).toEqual(splitCatalogue(source, publishedOrder(), "original").train);
});

test("a seed draws the split, and draws it again", () => {
  const split = splitCatalogue(source, seededOrder(7));
  expectDisjoint(split);
  expect(splitCatalogue(source, seededOrder(7))).toEqual(split);
  expect(splitCatalogue(source, seededOrder(8)).train).not.toEqual(split.train);
});

test("only kept sequences come back, in the same order", () => {
  const whole = splitCatalogue(source, seededOrder(1));
  const kept = Int32Array.from({ length: 1944 }, (_, index) => index * 2);
  const part = splitCatalogue(source, seededOrder(1), "identity", kept);
  expect(part.train).toEqual(whole.train.filter((index) => index % 2 === 0));
});

test("identities from colours agree with the characters, and a split by them shares none", () => {
  // All sequences of every fifth character: front, left and right.
  const kept = Int32Array.from(
    Array.from({ length: 3888 }, (_, index) => index).filter((index) => (index % 1296) % 5 === 0),
  );
  const identities = identitiesByAppearance(source, kept);
  expect(identities[1]).toBe(-1);
  const numberOf = new Map<number, number>();
  for (const index of kept) {
    const character = characterOf(index);
    if (!numberOf.has(character)) numberOf.set(character, identities[index]);
    expect(identities[index]).toBe(numberOf.get(character) as number);
  }
  expect(new Set(numberOf.values()).size).toBe(260);
  const split = splitByIdentity(identities, kept, 3, "colours");
  expectDisjoint(split);
  expect(split.train.length + split.validation.length + split.test.length).toBe(kept.length);
  expect(split.train.length / kept.length).toBeCloseTo(1000 / 1296, 1);
  expect(Array.from(split.train)).toEqual(Array.from(split.train).sort((first, second) => first - second));
});

test("a published pair: the first file trains, the second is split or serves twice", () => {
  const identities = Int32Array.from({ length: 60 }, (_, index) => Math.floor(index / 3));
  const kept = Int32Array.from({ length: 60 }, (_, index) => index);
  const split = splitPair(30, identities, kept, 1, "identity");
  expect(split.train).toEqual(kept.subarray(0, 30));
  expectDisjoint(split, (rows) => new Set(Array.from(rows, (index) => identities[index])));
  expect([split.validation.length, split.test.length]).toEqual([21, 9]); // 200 : 96 of ten identities
  const twice = splitPair(30, identities, kept, 1, "original");
  expect(twice.validation).toEqual(kept.subarray(30));
  expect(twice.test).toEqual(twice.validation);
});

test("no honest split, no split", () => {
  expect(() => splitByIdentity([0, 0, 1, 1], [0, 1, 2, 3], 0, "list")).toThrow("got 2 identities among 4 sequences");
  expect(() => splitByIdentity([0, 0, 0, 1, 2], [0, 1, 2, 3, 4], 0, "list")).toThrow("Name an attributes file");
});
