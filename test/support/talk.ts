import assert from 'node:assert/strict';

/** An answer as two services are compared by it: what differs by its nature has a name in its place. */
export interface Exchange {
  asked: string;
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

export interface Ask {
  token?: string | undefined;
  headers?: Record<string, string>;
  /** Sent as JSON; a string or bytes as they are, without a type. */
  body?: unknown;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** Different from answer to answer; an ETag also by the order of members, which means nothing. */
const VALUE_DIFFERS = new Set(['date', 'content-length', 'etag']);
/** Of no meaning but to be given back. */
const OPAQUE = new Set(['id', 'entry_id', 'next_cursor']);

/** What one asks a service, and what it answers, in order. */
export class Talk {
  readonly exchanges: Exchange[] = [];
  readonly #names = new Map<string, string>();
  /** What the model counted for the talk's one generation. */
  #usage: number | undefined;

  /** `granted`: the balance before that generation. */
  constructor(
    readonly url: string,
    readonly granted: number,
  ) {}

  /** Asks, and keeps the answer to be compared. Gives it back as it came. */
  async ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const answer = await this.peek(method, path, ask);
    this.keep(`${method} ${path}`, answer);
    return answer;
  }

  /** Asks without keeping the answer. */
  async peek(method: string, path: string, { token, headers = {}, body }: Ask = {}): Promise<Answer> {
    const asItIs = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined || asItIs ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: asItIs ? (body as string) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '') && text !== '';
    return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as Json) : text };
  }

  keep(asked: string, { status, headers, body }: Answer): void {
    this.#learn(body);
    const names = [...headers.keys()].sort();
    this.exchanges.push({
      asked: this.#text(asked),
      status,
      headers: Object.fromEntries(names.map((name) => [name, this.#header(name, headers)])),
      body: this.#json(body, ''),
    });
  }

  #header(name: string, headers: Headers): string {
    if (VALUE_DIFFERS.has(name)) return `<${name}>`;
    // What is left of the limits depends on how long the talk took so far.
    if (name === 'ratelimit') return headers.get(name)!.replace(/;([rt])=\d+/g, ';$1=<number>');
    const value = name === 'set-cookie' ? headers.getSetCookie().join('\n') : (headers.get(name) ?? '');
    return this.#text(
      value.replace(/^generation=[^;]+/, 'generation=<signed>').replace(/expires=[^;]+/, 'expires=<time>'),
    );
  }

  #learn(body: Json): void {
    const { usage } = isObject(body) ? body : {};
    if (!isObject(usage)) return;
    const { prompt_tokens, completion_tokens, total_tokens } = usage as Record<string, number>;
    assert.equal(total_tokens, prompt_tokens! + completion_tokens!);
    if (total_tokens > 0) this.#usage = total_tokens;
  }

  #json(value: Json, key: string): Json {
    if (typeof value === 'string') return OPAQUE.has(key) ? `<${key}>` : this.#text(value);
    if (typeof value === 'number') return this.#number(value, key);
    if (Array.isArray(value)) return value.map((one) => this.#json(one, key));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(byModel(value)).map(([name, one]) => [name, this.#json(one, name)]));
  }

  #number(value: number, key: string): Json {
    const usage = this.#usage;
    if (value === 0 || usage === undefined) return value;
    if (key === 'prompt_tokens' || key === 'completion_tokens') return `<${key}>`;
    if (Math.abs(value) === usage) return value > 0 ? '<usage>' : '-<usage>';
    return value === this.granted - usage ? `${this.granted} - <usage>` : value;
  }

  /** Ids get a name each, in the order of their appearance. */
  #text(value: string): string {
    return value.replace(TIME, '<time>').replace(UUID, (id) => {
      const name = this.#names.get(id) ?? `<id ${this.#names.size + 1}>`;
      this.#names.set(id, name);
      return name;
    });
  }
}

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed where it is JSON. */
  body: Json;
}

/** The text of a fallback is ours, and the same everywhere; only that of a model is not. */
function byModel(body: Record<string, Json>): Record<string, Json> {
  const { prompt, model, usage, generated_by_ai } = body;
  // An item of a batch tells neither its prompt nor its usage.
  if (generated_by_ai !== true || (prompt === undefined && usage === undefined)) return body;
  assert.ok(typeof prompt === 'string' && prompt !== '');
  return { ...body, prompt: '<text>', ...(model === undefined ? {} : { model: '<model>' }) };
}

const isObject = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
