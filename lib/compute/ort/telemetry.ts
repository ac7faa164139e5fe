// onnxruntime's published builds send usage data and keep a device id in HOME unless told not to before they are loaded.
// Whoever promises to leave nothing behind tells them so.
import { dlopen } from "bun:ffi";

const OPT_OUT = "ORT_DISABLE_TELEMETRY";

/** Opts this process out of onnxruntime's telemetry; a value the user has set himself stays. Call before the library loads. */
export function disableTelemetry(): void {
  if (process.env[OPT_OUT] !== undefined || process.platform === "win32") return;
  process.env[OPT_OUT] = "1"; // for child processes
  // Bun keeps process.env to itself; native code reads the C library's environment.
  const library = process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6";
  const { symbols, close } = dlopen(library, { setenv: { args: ["cstring", "cstring", "i32"], returns: "i32" } });
  symbols.setenv(Buffer.from(`${OPT_OUT}\0`), Buffer.from("1\0"), 0);
  close();
}
