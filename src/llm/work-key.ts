import { createHash } from 'node:crypto';
import type { PromptRequest } from './compose-request.js';

/** The model of some settings. Its name alone is not enough: many compatible servers take any. */
export const modelIdOf = ({ baseUrl, model }: { baseUrl: string; model: string }): string => digest([baseUrl, model]);

/** What a model is to do: two with the same key are the same work. */
export interface Work {
  /** As `modelIdOf` says. */
  modelId: string;
  /** Of the template in the request; null: there is none. */
  templateVersion: number | null;
  request: PromptRequest;
}

/** The same for equal work only, whichever process asks; it tells nothing of the texts. */
export const workKeyOf = ({ modelId, templateVersion, request: { system, user } }: Work): string =>
  digest([modelId, templateVersion, system, user]);

const digest = (parts: (string | number | null)[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
