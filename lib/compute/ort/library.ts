// Finds the onnxruntime shared library that the onnxruntime-node package ships for this platform.
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const libraryName = /^(libonnxruntime\.so(\.\d+)*|libonnxruntime(\.\d+)*\.dylib|onnxruntime\.dll)$/;

/** Path of the shared library, or null where the package has none for this operating system and processor. */
export function findOrtLibrary(): string | null {
  const packageRoot = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  const bin = join(packageRoot, "bin");
  if (!existsSync(bin)) return null;
  for (const napi of readdirSync(bin).sort().reverse()) {
    const folder = join(bin, napi, process.platform, process.arch);
    const file = existsSync(folder) ? readdirSync(folder).find((name) => libraryName.test(name)) : undefined;
    if (file) return join(folder, file);
  }
  return null;
}
