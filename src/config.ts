import { z } from 'zod';

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);
const text = z.string().trim().min(1);
const httpUrl = z.url({ protocol: /^https?$/, message: 'must be an http(s) URL' });

/** Every setting the service reads, as environment variables name them. TEMPORAL_* connection settings are read by @temporalio/envconfig. */
const Environment = z
  .object({
    NODE_ENV: text.optional(),
    HOST: text.default('127.0.0.1'),
    PORT: port(3000),
    METRICS_PORT: port(9464),
    LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    TEMPORAL_TASK_QUEUE: text.default('prompt-generation'),
    TEMPORAL_UI_URL: httpUrl.optional(),
    TEMPORAL_ADDRESS: text.optional(),
    TEMPORAL_PROFILE: text.optional(),
    TEMPORAL_DEV_PORT: port(7233),
    TEMPORAL_DEV_UI_PORT: port(8233),
    DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, message: 'must be a postgres:// URL' }).optional(),
    DATA_DIR: text.default('.data'),
    OPENAI_API_KEY: text.optional(),
    OPENAI_BASE_URL: httpUrl.optional(),
    OPENAI_MODEL: text.optional(),
    AUTH_JWT_SECRET: text.min(32, 'must have at least 32 characters').optional(),
    AUTH_JWKS_URL: httpUrl.optional(),
    AUTH_ISSUER: text.optional(),
    AUTH_AUDIENCE: text.optional(),
    MINIMUM_TOKENS: z.coerce.number().int().min(1).default(700),
    MAX_OUTPUT_TOKENS: z.coerce.number().int().min(1).default(3000),
  })
  .refine((env) => !(env.AUTH_JWT_SECRET && env.AUTH_JWKS_URL), {
    path: ['AUTH_JWKS_URL'],
    message: 'set either AUTH_JWT_SECRET or AUTH_JWKS_URL, not both',
  });

/** How callers' tokens are verified. */
export type AuthConfig = { issuer?: string; audience?: string } & (
  { kind: 'secret'; secret: string } | { kind: 'jwks'; url: string }
);

export interface LlmConfig {
  baseUrl: string;
  apiKey: string;
  model: string;
}

export interface Config {
  production: boolean;
  host: string;
  /** 0: any free one. */
  port: number;
  /** `explicit`: the operator chose it, so that it must be free. */
  metrics: { port: number; explicit: boolean };
  logLevel: string;
  temporal: {
    /** Set by the operator, by address or profile; else `npm start` runs a server of its own. */
    external: boolean;
    taskQueue: string;
    uiUrl?: string;
    dev: { port: number; uiPort: number };
  };
  databaseUrl?: string;
  dataDir: string;
  /** Absent: no OPENAI_* is set, the demo model answers. */
  llm?: LlmConfig;
  /** Absent: neither a secret nor a JWKS URL is set. */
  auth?: AuthConfig;
  minimumTokens: number;
  maxOutputTokens: number;
}

/** One message that names every bad setting, to be shown as it is. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

const DEFAULT_LLM = { baseUrl: 'https://api.openai.com/v1', model: 'gpt-4o-mini' };

/**
 * Reads the settings once, at start. An empty variable counts as not set.
 * @throws ConfigError listing every setting that is wrong.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim() !== ''));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`These settings are wrong:\n${lines.join('\n')}`);
  }
  const env = parsed.data;
  const llm = llmOf(env);
  const auth = authOf(env);
  return {
    production: env.NODE_ENV === 'production',
    host: env.HOST,
    port: env.PORT,
    metrics: { port: env.METRICS_PORT, explicit: given.METRICS_PORT !== undefined },
    logLevel: env.LOG_LEVEL,
    temporal: {
      external: env.TEMPORAL_ADDRESS !== undefined || env.TEMPORAL_PROFILE !== undefined,
      taskQueue: env.TEMPORAL_TASK_QUEUE,
      ...(env.TEMPORAL_UI_URL ? { uiUrl: env.TEMPORAL_UI_URL } : {}),
      dev: { port: env.TEMPORAL_DEV_PORT, uiPort: env.TEMPORAL_DEV_UI_PORT },
    },
    ...(env.DATABASE_URL ? { databaseUrl: env.DATABASE_URL } : {}),
    dataDir: env.DATA_DIR,
    ...(llm ? { llm } : {}),
    ...(auth ? { auth } : {}),
    minimumTokens: env.MINIMUM_TOKENS,
    maxOutputTokens: env.MAX_OUTPUT_TOKENS,
  };
}

type Env = z.infer<typeof Environment>;

function llmOf(env: Env): LlmConfig | undefined {
  if (!env.OPENAI_API_KEY && !env.OPENAI_BASE_URL) return undefined;
  return {
    baseUrl: env.OPENAI_BASE_URL ?? DEFAULT_LLM.baseUrl,
    // Local OpenAI-compatible servers need no key, but the client insists on one.
    apiKey: env.OPENAI_API_KEY ?? 'none',
    model: env.OPENAI_MODEL ?? DEFAULT_LLM.model,
  };
}

function authOf(env: Env): AuthConfig | undefined {
  const claims = {
    ...(env.AUTH_ISSUER ? { issuer: env.AUTH_ISSUER } : {}),
    ...(env.AUTH_AUDIENCE ? { audience: env.AUTH_AUDIENCE } : {}),
  };
  if (env.AUTH_JWT_SECRET) return { kind: 'secret', secret: env.AUTH_JWT_SECRET, ...claims };
  if (env.AUTH_JWKS_URL) return { kind: 'jwks', url: env.AUTH_JWKS_URL, ...claims };
  return undefined;
}
