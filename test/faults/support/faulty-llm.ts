import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as rest } from 'node:timers/promises';
import { gate } from '../../support/gate.js';

/**
 * What the model does with a text that begins with `[kind]`; without one it answers well. The kinds that end well do so
 * at a later attempt.
 */
export const KINDS = [
  ...['ok', 'hang', 'reset', 'drip', 'garbage', 'empty', 'length', 'filter', 'unauthorized', 'storm', 'huge'],
] as const;

export interface FaultyLlm {
  baseUrl: string;
  /** What the answer to this text costs, in tokens. */
  usageOf(text: string): number;
  /** How many calls wait for their answer now. */
  waiting(): number;
  /** Keeps the good answers back that are asked for from now on, until the result is called. */
  hold(): () => void;
  stop(): Promise<void>;
}

/** Longest time before a good answer begins, in ms. */
const SLOWEST_MS = 8_000;
const HUGE_BYTES = 100 * 1024 * 1024;

/** A model as a real HTTP server that speaks OpenAI's streaming wire format, and breaks it in every way. */
export async function startFaultyLlm(): Promise<FaultyLlm> {
  const attempts = new Map<string, number>();
  const open = new Set<ServerResponse>();
  const holds = new Set<Promise<void>>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await userText(request);
    const attempt = (attempts.get(text) ?? 0) + 1;
    attempts.set(text, attempt);
    open.add(response);
    response.on('close', () => open.delete(response));
    // Whoever hangs up in the middle is none of our business.
    response.on('error', () => undefined);
    const stream = new Stream(response, usageOf(text));
    switch (kindOf(text)) {
      case 'hang':
        return;
      case 'reset':
        if (attempt > 2) break;
        stream.write('You are ');
        await rest(200);
        response.socket?.resetAndDestroy();
        return;
      case 'drip':
        for (const letter of 'The same letters again and again. '.repeat(10)) {
          if (response.destroyed) return;
          stream.write(letter);
          await rest(1_000);
        }
        return;
      case 'garbage':
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.end('data: {"choices":[{"delta":{"content":"<html>\n\n\u0000\u0001 not JSON at all\n\n');
        return;
      case 'empty':
        stream.end('', 'stop');
        return;
      case 'length':
        stream.end('You are the assistant of a shoe', 'length');
        return;
      case 'filter':
        stream.end('', 'content_filter');
        return;
      case 'unauthorized':
        response.writeHead(401, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify({ error: { message: 'Incorrect API key', code: 'invalid_api_key' } }));
        return;
      case 'storm':
        if (attempt > 3) break;
        response.writeHead(429, { 'Content-Type': 'application/json', 'Retry-After': '1' });
        response.end(JSON.stringify({ error: { message: 'Slow down', code: 'rate_limit_exceeded' } }));
        return;
      case 'huge':
        await huge(stream, response, hash(text) % 2 === 0);
        return;
      default:
    }
    await Promise.all(holds);
    await rest(hash(text) % SLOWEST_MS);
    stream.end(`You are the assistant of ${text}`, 'stop');
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    usageOf: (text) => usageOf(text).total_tokens,
    waiting: () => open.size,
    hold: () => {
      const { open: release, opened } = gate();
      holds.add(opened);
      return () => {
        holds.delete(opened);
        release();
      };
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** 100 MB, as one endless line or as a million good pieces. */
async function huge(stream: Stream, response: ServerResponse, oneLine: boolean): Promise<void> {
  const piece = 'x'.repeat(64 * 1024);
  const closed = new Promise((resolve) => response.once('close', resolve));
  if (oneLine) stream.raw('data: {"choices":[{"index":0,"delta":{"content":"');
  for (let sent = 0; sent < HUGE_BYTES && !response.destroyed; sent += piece.length) {
    const drained = oneLine ? stream.raw(piece) : stream.write(piece);
    if (!drained) await Promise.race([closed, new Promise((resolve) => response.once('drain', resolve))]);
  }
  response.end();
}

interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** The events of one answer. */
class Stream {
  constructor(
    readonly response: ServerResponse,
    readonly usage: Usage,
  ) {}

  raw(text: string): boolean {
    if (!this.response.headersSent) this.response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    return this.response.write(text);
  }

  write(content: string, finish_reason: string | null = null): boolean {
    const choices = [{ index: 0, delta: { content }, finish_reason }];
    return this.raw(`data: ${JSON.stringify({ object: 'chat.completion.chunk', model: 'faulty', choices })}\n\n`);
  }

  end(content: string, finish_reason: string): void {
    this.write(content, finish_reason);
    this.raw(`data: ${JSON.stringify({ model: 'faulty', choices: [], usage: this.usage })}\n\n`);
    this.raw('data: [DONE]\n\n');
    this.response.end();
  }
}

async function userText(request: IncomingMessage): Promise<string> {
  const { messages } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as {
    messages: { content: string }[];
  };
  return messages.at(-1)?.content ?? '';
}

const kindOf = (text: string): string | undefined => /^\[(\w+)\]/.exec(text)?.[1];

/** The same for the same text, so that every attempt at it costs the same. */
function usageOf(text: string): Usage {
  const prompt_tokens = 50 + (hash(text) % 100);
  const completion_tokens = 20 + (hash(`${text}!`) % 400);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

const hash = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE();
