/** Ends an exhaustive switch: compiles only while every case is handled; throws on data from another version. */
export function assertNever(value: never): never {
  throw new TypeError(`Unexpected value: ${JSON.stringify(value)}`);
}
