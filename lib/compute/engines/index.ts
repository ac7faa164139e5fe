// Eager execution by tfjs's own backends.
export { type EagerDevice, type EagerEngine, openEngine } from "./open.ts";
