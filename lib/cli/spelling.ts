// The three spellings of a snake_case flag name.

/** n_epochs -> n-epochs */
export function kebabCase(name: string): string {
  return name.replaceAll("_", "-");
}

/** n_epochs -> nEpochs */
export function camelCase(name: string): string {
  return name.replace(/_([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
