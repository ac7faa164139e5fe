// Assembles adam.wat into adam.wasm:  bun lib/compute/optimizer/build.ts
// The bytes are committed, so that a run needs no assembler; a test checks that they match their source.
import wabt from "wabt";

/** The WebAssembly bytes of adam.wat. */
export async function assembleAdam(): Promise<Uint8Array> {
  const source = await Bun.file(new URL("./adam.wat", import.meta.url)).text();
  const module = (await wabt()).parseWat("adam.wat", source, { simd: true, threads: true });
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

if (import.meta.main) await Bun.write(new URL("./adam.wasm", import.meta.url), await assembleAdam());
