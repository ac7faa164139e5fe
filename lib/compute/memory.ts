// One fixed arena of shared memory: parameters, moments, gradients and batches live at fixed addresses in it, where
// onnxruntime, the WASM optimizer and every thread read and write the same bytes.
import { ComputeError } from "./errors.ts";
import { adviseHugePages } from "./huge-pages.ts";

const PAGE_BYTES = 65_536;
/** Tensors start on cache lines, so that threads never share one. */
const ALIGN_BYTES = 64;
/** 32-bit WebAssembly addresses end here. */
export const MAX_BYTES = 65_536 * PAGE_BYTES;

/** A tensor's place in the arena. */
export interface Region {
  readonly byteOffset: number;
  readonly length: number;
}

/** Rounds an element count up so that the next tensor of 4-byte elements starts on its own cache line. */
export const paddedLength = (length: number): number => Math.ceil(length / (ALIGN_BYTES / 4)) * (ALIGN_BYTES / 4);

/** Plans regions first and makes the memory once, at its exact size. Throws ComputeError when the plan exceeds 4 GiB. */
export class ArenaPlan {
  private top = ALIGN_BYTES;

  /** Reserves room for `length` elements of 4 bytes. */
  reserve(length: number): Region {
    const region = { byteOffset: this.top, length };
    this.top += paddedLength(length) * 4;
    if (this.top > MAX_BYTES) {
      throw new ComputeError(
        "too-large",
        `compute memory: ${(this.top / 2 ** 30).toFixed(1)} GiB asked for, one session addresses 4 GiB; use a smaller model or batch`,
      );
    }
    return region;
  }

  get sizeBytes(): number {
    return this.top;
  }

  /** Creates the shared memory; every byte is zero and takes no physical memory until it is written. */
  allocate(): WebAssembly.Memory {
    const pages = Math.ceil(this.top / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    adviseHugePages(memory.buffer);
    return memory;
  }
}

/** A typed view of a region; the view stays valid for the life of the memory, which never grows. */
export const floatView = (memory: WebAssembly.Memory, { byteOffset, length }: Region): Float32Array =>
  new Float32Array(memory.buffer, byteOffset, length);

export const intView = (memory: WebAssembly.Memory, { byteOffset, length }: Region): Int32Array =>
  new Int32Array(memory.buffer, byteOffset, length);
