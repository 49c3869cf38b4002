import { createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);
/** Of each owner. There is no value for none: a very high one is as good. */
const limit = (fallback: number) => z.coerce.number().int().min(1).max(1_000_000_000).default(fallback);
const text = z.string().trim().min(1);
const linkUrl = z.url({ protocol: /^(https?|mailto)$/, message: 'must be an http(s) or mailto URL' });
const httpUrl = z.url({ protocol: /^https?$/, message: 'must be an http(s) URL' });

/** With the 5 s that answers under way may take it stays within SHUTDOWN_LIMIT_MS. */
const MAX_SHUTDOWN_DELAY_SECONDS = 8;

/** More is a slip of the pen. */
const MAX_LLM_CALLS = 100_000;

/** A master key: a name and 32 bytes in Base64. Messages MUST NOT quote it. */
const MASTER_KEY = /^([A-Za-z0-9._-]{1,64}):([A-Za-z0-9+/]{43}=)$/;
const MAKE_KEY = 'a key is made by `openssl rand -base64 32`';

const masterKeys = text.transform((value, context): MasterKey[] => {
  const keys = value.split(',').flatMap((part, index) => {
    const [, id, bytes] = MASTER_KEY.exec(part.trim()) ?? [];
    if (id !== undefined && bytes !== undefined) return [{ id, key: createSecretKey(bytes, 'base64') }];
    const message = `part ${index + 1} must be name:key, where the key is 32 bytes in Base64; ${MAKE_KEY}`;
    context.addIssue({ code: 'custom', message });
    return [];
  });
  if (new Set(keys.map(({ id }) => id)).size < keys.length) {
    context.addIssue({ code: 'custom', message: 'each key must have a name of its own' });
  }
  return keys;
});

/** As the OpenTelemetry specification has it: name=value[,name=value...], percent-encoded. Messages MUST NOT quote it. */
const headerList = text.transform((value, context): Record<string, string> => {
  try {
    const pairs = value
      .split(',')
      .map((pair) => /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(pair)?.slice(1).map(decodeURIComponent));
    if (pairs.every((pair) => pair !== undefined)) return Object.fromEntries(pairs) as Record<string, string>;
  } catch {
    // A percent sign that encodes nothing.
  }
  context.addIssue({ code: 'custom', message: 'must be name=value[,name=value...], percent-encoded' });
  return {};
});

/** Every setting the service reads, as environment variables name them. TEMPORAL_* connection settings are read by @temporalio/envconfig. */
const Environment = z
  .object({
    NODE_ENV: text.optional(),
    HOST: text.default('127.0.0.1'),
    PORT: port(3000),
    METRICS_PORT: port(9464),
    LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    TEMPORAL_TASK_QUEUE: text.default('prompt-generation'),
    TEMPORAL_DEPLOYMENT_NAME: text.optional(),
    TEMPORAL_WORKER_BUILD_ID: text.optional(),
    TEMPORAL_UI_URL: httpUrl.optional(),
    TEMPORAL_ADDRESS: text.optional(),
    TEMPORAL_PROFILE: text.optional(),
    TEMPORAL_CLI_PATH: text.optional(),
    TEMPORAL_DEV_PORT: port(7233),
    TEMPORAL_DEV_UI_PORT: port(8233),
    DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, message: 'must be a postgres:// URL' }).optional(),
    DATA_DIR: text.default('.data'),
    OPENAI_API_KEY: text.optional(),
    OPENAI_BASE_URL: httpUrl.optional(),
    OPENAI_MODEL: text.optional(),
    LLM_CALLS_PER_SECOND: z.coerce.number().positive().max(MAX_LLM_CALLS).optional(),
    LLM_CONCURRENT_CALLS: z.coerce.number().int().min(1).max(MAX_LLM_CALLS).optional(),
    AUTH_JWT_SECRET: text.min(32, 'must have at least 32 characters').optional(),
    AUTH_JWKS_URL: httpUrl.optional(),
    AUTH_ISSUER: text.optional(),
    AUTH_AUDIENCE: text.optional(),
    PAYLOAD_ENCRYPTION: z.enum(['on', 'off']).optional(),
    PAYLOAD_ENCRYPTION_KEYS: masterKeys.optional(),
    BUY_TOKENS_URL: linkUrl.optional(),
    RENEW_SUBSCRIPTION_URL: linkUrl.optional(),
    SUPPORT_URL: linkUrl.optional(),
    MINIMUM_TOKENS: z.coerce.number().int().min(1).default(700),
    MAX_OUTPUT_TOKENS: z.coerce.number().int().min(1).default(3000),
    MAX_STARTS_PER_MINUTE: limit(160),
    MAX_RUNNING_TASKS: limit(120),
    OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
    OTEL_EXPORTER_OTLP_HEADERS: headerList.optional(),
    OTEL_SERVICE_NAME: text.optional(),
    OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
    SHUTDOWN_DELAY_SECONDS: z.coerce.number().min(0).max(MAX_SHUTDOWN_DELAY_SECONDS).optional(),
  })
  .refine((env) => (env.TEMPORAL_DEPLOYMENT_NAME === undefined) === (env.TEMPORAL_WORKER_BUILD_ID === undefined), {
    path: ['TEMPORAL_WORKER_BUILD_ID'],
    message: 'set both TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID, or neither',
  })
  .refine((env) => !(env.AUTH_JWT_SECRET && env.AUTH_JWKS_URL), {
    path: ['AUTH_JWKS_URL'],
    message: 'set either AUTH_JWT_SECRET or AUTH_JWKS_URL, not both',
  })
  .refine((env) => env.PAYLOAD_ENCRYPTION !== 'on' || env.PAYLOAD_ENCRYPTION_KEYS !== undefined, {
    path: ['PAYLOAD_ENCRYPTION_KEYS'],
    message: `must be set where PAYLOAD_ENCRYPTION=on; ${MAKE_KEY}`,
  });

/** Where Temporal is, and which of its namespaces is ours. */
export interface TemporalTarget {
  connectionOptions: ReturnType<typeof loadClientConnectConfig>['connectionOptions'];
  namespace: string;
}

/** How callers' tokens are verified. */
export type AuthConfig = { issuer?: string; audience?: string } & (
  { kind: 'secret'; secret: string } | { kind: 'jwks'; url: string }
);

/** One of PAYLOAD_ENCRYPTION_KEYS. */
export interface MasterKey {
  id: string;
  key: KeyObject;
}

/** How Temporal's payloads are encrypted. */
export interface EncryptionConfig {
  /** Off: nothing is encrypted any more; what was stays readable as far as there are keys. */
  on: boolean;
  /** The first one wraps new data keys. Empty only where it is off. */
  masterKeys: MasterKey[];
}

/** Where traces are sent, and which. */
export interface TracingConfig {
  /** Of an OTLP collector, over HTTP. */
  endpoint: string;
  headers: Record<string, string>;
  /** 0 to 1: of the traces that begin here. One that a caller began is sent if the caller's is. */
  sampleRatio: number;
  /** Absent: as the program has it. */
  serviceName?: string;
}

export interface LlmConfig {
  baseUrl: string;
  apiKey: string;
  model: string;
}

/** How many calls of the model there may be. Where one is set, they wait for their turn in a task queue of their own. */
export interface LlmLimits {
  /** Of all workers together; Temporal keeps it. */
  perSecond?: number;
  /** Of one worker, at a time. */
  concurrent?: number;
}

/** Addresses (http, https or mailto) of the application around this service; what is absent gets no button. */
export interface PageLinks {
  buyTokens?: string;
  renewSubscription?: string;
  support?: string;
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
    /** What the TEMPORAL_* settings and the ecosystem's profile file say: localhost:7233 where they say nothing. */
    target: TemporalTarget;
    taskQueue: string;
    /** Set: Temporal gives a run to the workers of one build alone, from its start to its end. */
    deployment?: { deploymentName: string; buildId: string };
    uiUrl?: string;
    /** Of the embedded server. `cliPath`: the CLI to run, where it is not to be looked for. */
    dev: { port: number; uiPort: number; cliPath?: string };
  };
  databaseUrl?: string;
  dataDir: string;
  /** Absent: no OPENAI_* is set, the demo model answers. */
  llm?: LlmConfig;
  llmLimits: LlmLimits;
  /** Absent: neither a secret nor a JWKS URL is set. */
  auth?: AuthConfig;
  /** Absent: nothing is said of it. */
  encryption?: EncryptionConfig;
  /** Absent: no traces. */
  tracing?: TracingConfig;
  /** Where the page leads its users for what a failure asks of them. */
  pageLinks: PageLinks;
  minimumTokens: number;
  maxOutputTokens: number;
  /** Of each owner. */
  startLimits: { startsPerMinute: number; runningTasks: number };
  /** How long a stopping API says that it is not ready before it takes no more. Absent: as the program has it. */
  shutdownDelayMs?: number;
}

/** What the CLI of support needs. */
export interface SupportCliConfig {
  /** Of the API, without a slash at its end. */
  apiUrl: string;
  /** MUST NOT be printed. */
  token: string;
}

/** One message that names every bad setting, to be shown as it is. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

const DEFAULT_NAMESPACE = 'default';
const DEFAULT_LLM = { baseUrl: 'https://api.openai.com/v1', model: 'gpt-4o-mini' };

/** The environment, and beneath it what a file `.env` in the working folder says, if there is one. */
export const readEnvironment = (): NodeJS.ProcessEnv => ({ ...readDotEnv(), ...process.env });

function readDotEnv(): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw new ConfigError(`The file .env can't be read: ${String(error)}`);
  }
}

/** The settings of the CLI of support, which needs none of the service's. Messages MUST NOT quote the token. */
const SupportCliEnvironment = z.object({
  SUPPORT_API_URL: httpUrl
    .refine((url) => new URL(url).username === '' && new URL(url).password === '', 'must have no user and password')
    .transform((url) => url.replace(/\/+$/, ''))
    .default('http://127.0.0.1:3000'),
  SUPPORT_API_TOKEN: z
    .string('must be set: a token with the scope support, or admin for accounts, grants and erasures')
    .trim()
    .regex(/^[\w.~+/=-]+$/, 'must be a token, as it stands behind "Bearer"'),
});

/**
 * Reads the settings of the CLI of support.
 * @throws ConfigError listing every setting that is wrong.
 */
export function readSupportCliConfig(environment: NodeJS.ProcessEnv = readEnvironment()): SupportCliConfig {
  const env = parseSettings(SupportCliEnvironment, givenOf(environment));
  return { apiUrl: env.SUPPORT_API_URL, token: env.SUPPORT_API_TOKEN };
}

const givenOf = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => (entry[1] ?? '').trim() !== ''),
  );

function parseSettings<T extends z.ZodType>(schema: T, given: Record<string, string>): z.output<T> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(`These settings are wrong:\n${lines.join('\n')}`);
}

/**
 * Reads the settings once, at start. An empty variable counts as not set.
 * @throws ConfigError listing every setting that is wrong.
 */
export function readConfig(environment: NodeJS.ProcessEnv = readEnvironment()): Config {
  const given = givenOf(environment);
  const env = parseSettings(Environment, given);
  const llm = llmOf(env);
  const auth = authOf(env);
  const encryption = encryptionOf(env);
  const tracing = tracingOf(env);
  return {
    production: env.NODE_ENV === 'production',
    host: env.HOST,
    port: env.PORT,
    metrics: { port: env.METRICS_PORT, explicit: given.METRICS_PORT !== undefined },
    logLevel: env.LOG_LEVEL,
    temporal: {
      external: env.TEMPORAL_ADDRESS !== undefined || env.TEMPORAL_PROFILE !== undefined,
      target: targetOf(given),
      taskQueue: env.TEMPORAL_TASK_QUEUE,
      ...deploymentOf(env),
      ...(env.TEMPORAL_UI_URL ? { uiUrl: env.TEMPORAL_UI_URL } : {}),
      dev: {
        port: env.TEMPORAL_DEV_PORT,
        uiPort: env.TEMPORAL_DEV_UI_PORT,
        ...(env.TEMPORAL_CLI_PATH ? { cliPath: env.TEMPORAL_CLI_PATH } : {}),
      },
    },
    ...(env.DATABASE_URL ? { databaseUrl: env.DATABASE_URL } : {}),
    dataDir: env.DATA_DIR,
    ...(llm ? { llm } : {}),
    llmLimits: {
      ...(env.LLM_CALLS_PER_SECOND === undefined ? {} : { perSecond: env.LLM_CALLS_PER_SECOND }),
      ...(env.LLM_CONCURRENT_CALLS === undefined ? {} : { concurrent: env.LLM_CONCURRENT_CALLS }),
    },
    ...(auth ? { auth } : {}),
    ...(encryption ? { encryption } : {}),
    ...(tracing ? { tracing } : {}),
    pageLinks: {
      ...(env.BUY_TOKENS_URL ? { buyTokens: env.BUY_TOKENS_URL } : {}),
      ...(env.RENEW_SUBSCRIPTION_URL ? { renewSubscription: env.RENEW_SUBSCRIPTION_URL } : {}),
      ...(env.SUPPORT_URL ? { support: env.SUPPORT_URL } : {}),
    },
    minimumTokens: env.MINIMUM_TOKENS,
    maxOutputTokens: env.MAX_OUTPUT_TOKENS,
    startLimits: { startsPerMinute: env.MAX_STARTS_PER_MINUTE, runningTasks: env.MAX_RUNNING_TASKS },
    ...(env.SHUTDOWN_DELAY_SECONDS === undefined ? {} : { shutdownDelayMs: env.SHUTDOWN_DELAY_SECONDS * 1_000 }),
  };
}

type Env = z.infer<typeof Environment>;

function targetOf(given: Record<string, string>): TemporalTarget {
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: given });
    return { connectionOptions, namespace: namespace ?? DEFAULT_NAMESPACE };
  } catch (error) {
    // A profile that is not there, a certificate that can't be read: the message says which.
    throw new ConfigError(
      `The TEMPORAL_* settings are wrong: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function deploymentOf({ TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_WORKER_BUILD_ID: buildId }: Env) {
  return deploymentName !== undefined && buildId !== undefined ? { deployment: { deploymentName, buildId } } : {};
}

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

function encryptionOf({ PAYLOAD_ENCRYPTION: mode, PAYLOAD_ENCRYPTION_KEYS: keys }: Env): EncryptionConfig | undefined {
  if (!mode && !keys) return undefined;
  return { on: mode !== 'off', masterKeys: keys ?? [] };
}

function tracingOf(env: Env): TracingConfig | undefined {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT) return undefined;
  return {
    endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    headers: env.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    sampleRatio: env.OTEL_TRACES_SAMPLER_ARG,
    ...(env.OTEL_SERVICE_NAME ? { serviceName: env.OTEL_SERVICE_NAME } : {}),
  };
}

/** The setting that gives each part of the configuration, for those that only some programs can do without. */
const SETTING_OF = {
  databaseUrl: 'DATABASE_URL: the PostgreSQL to use',
  auth: 'AUTH_JWT_SECRET or AUTH_JWKS_URL: how the tokens of callers are verified',
  llm: 'OPENAI_API_KEY or OPENAI_BASE_URL: the model to use',
  encryption: `PAYLOAD_ENCRYPTION_KEYS: name:key, so that Temporal stores no text in clear (${MAKE_KEY}), or PAYLOAD_ENCRYPTION=off`,
} as const;

/**
 * The configuration, with these parts there.
 * @throws ConfigError naming every one that is not set.
 */
export function requireSettings<K extends keyof typeof SETTING_OF>(
  config: Config,
  parts: K[],
): Config & Required<Pick<Config, K>> {
  const missing = parts.filter((part) => config[part] === undefined).map((part) => `  ${SETTING_OF[part]}`);
  if (missing.length > 0) throw new ConfigError(`These settings are missing:\n${missing.join('\n')}`);
  return config as Config & Required<Pick<Config, K>>;
}
