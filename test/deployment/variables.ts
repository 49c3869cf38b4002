import { randomBytes } from 'node:crypto';
import { masterKeySetting } from '../encryption/support.js';
import { SECRET } from '../support/program.js';

const password = (): string => randomBytes(32).toString('hex');

/** What production.env must have: docker-compose.temporal.yml refuses to be read without any one of them. */
export const REQUIRED = {
  VERSION: '2026-11-25.1',
  DATABASE_PASSWORD: password(),
  TEMPORAL_DATABASE_PASSWORD: password(),
  GRAFANA_ADMIN_PASSWORD: password(),
  PAYLOAD_ENCRYPTION_KEYS: masterKeySetting(),
  OPENAI_API_KEY: 'sk-of-no-use',
  PUBLIC_API_URL: 'https://prompts.example.com',
  TEMPORAL_UI_URL: 'https://temporal.example.com',
};

/** With one of the two that say who may call. */
export const PRODUCTION = { ...REQUIRED, AUTH_JWT_SECRET: SECRET };
