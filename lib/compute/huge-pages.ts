// Asks Linux to back a large memory with huge pages: the optimizer streams through hundreds of megabytes, and every 4 KiB
// page would be a look-up of its own.
import { dlopen, ptr } from "bun:ffi";

const HUGE_PAGE_BYTES = 2 << 20;
const MADV_HUGEPAGE = 14;

/** Advice only: where it is not taken (other systems, other C libraries, switched off) nothing changes but speed. */
export function adviseHugePages(buffer: ArrayBufferLike): void {
  if (process.platform !== "linux" || buffer.byteLength < 2 * HUGE_PAGE_BYTES) return;
  try {
    const { symbols, close } = dlopen("libc.so.6", { madvise: { args: ["u64", "u64", "i32"], returns: "i32" } });
    const start = ptr(new Uint8Array(buffer));
    const first = Math.ceil(start / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
    symbols.madvise(first, buffer.byteLength - (first - start), MADV_HUGEPAGE);
    close();
  } catch {
    // musl: no huge pages
  }
}
