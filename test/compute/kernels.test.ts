// KERNELS.md lists what is mapped, no more and no less.
import { expect, test } from "bun:test";
import { outputSavingKernels } from "../../lib/compute/gradients/index.ts";
import { kernelFamilies } from "../../lib/compute/trace/kernels/index.ts";

const document = await Bun.file(new URL("../../lib/compute/KERNELS.md", import.meta.url)).text();

/** The code-marked words in the table row that starts with this cell. */
function namesIn(firstCell: string): string[] {
  const row = document.split("\n").find((line) => line.startsWith(`| ${firstCell} |`)) ?? "";
  return [...row.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
}

test.each(Object.entries(kernelFamilies))("%s", (family, table) => {
  expect(namesIn(family)).toEqual(Object.keys(table).sort());
});

test("no kernel is in two families", () => {
  const names = Object.values(kernelFamilies).flatMap((table) => Object.keys(table));
  expect(names.length).toBe(new Set(names).size);
});

test("corrected kernels", () => {
  const named = namesIn("loses the second derivative, silently, where the gradient saves an output");
  expect(named).toEqual(Object.keys(outputSavingKernels).sort());
});
