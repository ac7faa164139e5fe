// Makes the calling thread treat denormal floats as zero. Saturated outputs have gradients around 1e-39, and arithmetic on
// such numbers costs a hundred times the normal: a training step slows down several-fold once enough pixels are learned.
// onnxruntime sets this for its own threads and once per process for a calling thread; ours are several, so we set it here.
import { dlopen, ptr } from "bun:ffi";

/** Where the C library keeps its floating-point environment (fenv_t) and which bits flush denormals. */
interface Environment {
  library: string;
  sizeBytes: number;
  /** Byte offset of the control word: MXCSR on x86, FPCR on Arm. */
  control: number;
  bits: number;
}

const FLUSH_AND_DAZ = 0x8040; // MXCSR: flush results (bit 15), read operands as zero (bit 6)
const FPCR_FZ = 1 << 24;

const environments: Record<string, Environment> = {
  "linux-x64": { library: "libm.so.6", sizeBytes: 32, control: 28, bits: FLUSH_AND_DAZ },
  "linux-arm64": { library: "libm.so.6", sizeBytes: 8, control: 0, bits: FPCR_FZ },
  "darwin-x64": { library: "libSystem.B.dylib", sizeBytes: 16, control: 4, bits: FLUSH_AND_DAZ },
  "darwin-arm64": { library: "libSystem.B.dylib", sizeBytes: 16, control: 8, bits: FPCR_FZ },
};

/** Returns whether denormals are zero on this thread from now on; elsewhere only speed differs. */
export function flushDenormals(): boolean {
  const environment = environments[`${process.platform}-${process.arch}`];
  if (!environment) return false;
  const { library, sizeBytes, control, bits } = environment;
  try {
    const { symbols } = dlopen(library, {
      fegetenv: { args: ["ptr"], returns: "i32" },
      fesetenv: { args: ["ptr"], returns: "i32" },
    });
    const state = new Uint8Array(sizeBytes);
    if (symbols.fegetenv(ptr(state)) !== 0) return false;
    const view = new DataView(state.buffer);
    view.setUint32(control, view.getUint32(control, true) | bits, true);
    return symbols.fesetenv(ptr(state)) === 0;
  } catch {
    return false; // a C library without these names (musl)
  }
}
