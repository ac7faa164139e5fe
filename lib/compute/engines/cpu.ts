// The plain JavaScript backend of tfjs: slow, always there, the reference of the tests.
import * as tf from "@tensorflow/tfjs-core";

export async function openCpu(): Promise<string> {
  await import("@tensorflow/tfjs-backend-cpu");
  // The backend greets its first use with advice to install another package; that belongs into no log of ours.
  const backend: { firstUse?: boolean } = tf.findBackend("cpu") as never;
  backend.firstUse = false;
  return "cpu";
}
