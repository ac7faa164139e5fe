// The arena: alignment, its limit, and huge pages where the system grants them.
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { ArenaPlan, floatView, MAX_BYTES } from "../../lib/compute/memory.ts";
import { ComputeError } from "@cleanloop/compute";

test("regions start on cache lines and do not overlap", () => {
  const plan = new ArenaPlan();
  const regions = [1, 15, 16, 17, 1000].map((length) => plan.reserve(length));
  regions.forEach(({ byteOffset }) => expect(byteOffset % 64).toBe(0));
  regions.slice(1).forEach(({ byteOffset }, i) => expect(byteOffset).toBeGreaterThanOrEqual(regions[i].byteOffset + regions[i].length * 4));
  const memory = plan.allocate();
  regions.forEach((region) => floatView(memory, region).fill(region.length));
  regions.forEach((region) => expect(floatView(memory, region).every((value) => value === region.length)).toBe(true));
});

test("more than 4 GiB is refused with what to do", () => {
  const plan = new ArenaPlan();
  expect(() => plan.reserve(MAX_BYTES / 4)).toThrow(ComputeError);
  expect(() => plan.reserve(MAX_BYTES / 4)).toThrow("use a smaller model or batch");
});

const setting = "/sys/kernel/mm/transparent_hugepage/enabled";
const isGranted = existsSync(setting) && !readFileSync(setting, "utf8").includes("[never]");
test.if(isGranted)("a large arena lies on huge pages", () => {
  const plan = new ArenaPlan();
  const region = plan.reserve(8 << 20); // 32 MiB
  floatView(plan.allocate(), region).fill(1);
  const granted = [...readFileSync("/proc/self/smaps", "utf8").matchAll(/AnonHugePages:\s+(\d+) kB/g)];
  expect(granted.reduce((total, [, kilobytes]) => total + Number(kilobytes), 0)).toBeGreaterThanOrEqual(16 << 10);
});
