// Where initial parameters get their random numbers from.

/** Source of uniform numbers in [0, 1); `Random` of `@cleanloop/data` is one. */
export interface UniformSource {
  uniform(): number;
}
