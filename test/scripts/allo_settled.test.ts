// Two things at once, of which one fails: the other has come to its end before the failure is told.
import { expect, test } from "bun:test";
import { bothSettled } from "../../scripts/allo/settled.ts";

const fail = (message: string) => Promise.reject(new Error(message));

test("both results come, each in its place", async () => {
  expect(await bothSettled(Bun.sleep(2).then(() => "steps"), Promise.resolve(7))).toEqual(["steps", 7]);
});

test.each(["first", "second"])("a failure of the %s is told only when the other has ended", async (place) => {
  let hasEnded = false;
  const slow = Bun.sleep(10).then(() => void (hasEnded = true));
  const both = place === "first" ? bothSettled(fail("no step"), slow) : bothSettled(slow, fail("no step"));
  await expect(both).rejects.toThrow("no step");
  expect(hasEnded).toBe(true);
});

test("of two failures the first one's is told, whichever came earlier", async () => {
  await expect(bothSettled(Bun.sleep(5).then(() => fail("no step")), fail("disk full"))).rejects.toThrow("no step");
});
