import { createHash } from 'node:crypto';

/** Of 64 bytes that Temporal takes. */
const KEY_CHARS = 32;

/**
 * The turn of an owner's runs: where tasks wait for workers, Temporal takes one of each key in turn, so that one owner's
 * thousand delay nobody else's one. Activities and child workflows inherit it. A hash, as it is never encrypted and the
 * busiest ones stay in Temporal's database after their runs; the same as `printf %s OWNER | sha256sum | cut -c1-32`.
 */
export const priorityOf = (owner: string): { fairnessKey: string } => ({
  fairnessKey: createHash('sha256').update(owner).digest('hex').slice(0, KEY_CHARS),
});
