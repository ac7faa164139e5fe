// Training sessions of a test file, closed when its tests are over.
import { afterAll } from "bun:test";
import { createTrainingSession, type TrainingOptions, type TrainingSession } from "@cleanloop/compute";

/** Opens sessions that nobody needs to close. To be called once in every file: the hook belongs to the file that is being loaded. */
export function closingSessions(): (options: TrainingOptions) => Promise<TrainingSession> {
  const open: TrainingSession[] = [];
  afterAll(() => Promise.all(open.map((session) => session.close())));
  return async (options) => {
    const session = await createTrainingSession(options);
    open.push(session);
    return session;
  };
}
