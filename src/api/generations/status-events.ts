import { ASK_EVERY_MS, changesOf } from './changes.js';
import type { Followed, Read } from './followed.js';

/** Proxies and browsers take a connection for dead that says nothing for a minute. */
const HEARTBEAT_MS = 15_000;
/** Past the end of every task. */
const LIFE_MS = 130_000;
/** How soon a browser connects again by itself, in ms. */
const RETRY_MS = 1_000;
/** Some proxies hand on nothing before they have two kilobytes. */
const PADDING = `:${' '.repeat(2_048)}\n`;

interface Reader<Found> {
  /** The status to begin with. */
  first: Found;
  /** The id of the last event the reader has; '' where it has none. */
  lastEventId: string;
  withText: boolean;
  /** Aborted when the reader has gone, or is to come back elsewhere. */
  signal: AbortSignal;
}

/**
 * The course of a task, or of a batch, as server-sent events: `status`, with the body of a status and its tag as the id, up to its end; and
 * `text`, what the model writes. A reader that is slow gets the newest of what it missed, and nothing is kept for it.
 */
export async function* statusEvents<Found extends { outcome: 'found' }>(
  followed: Followed<Found>,
  { first, lastEventId, withText, signal }: Reader<Found>,
): AsyncGenerator<string> {
  const until = performance.now() + LIFE_MS;
  const changes = changesOf(followed);
  let told = lastEventId;
  let written = { attempt: 0, chars: 0 };
  let saidAt = performance.now();
  try {
    yield `${PADDING}retry: ${RETRY_MS}\n\n`;
    for (let read: Read<Found> = first; ; read = await followed.read()) {
      if (performance.now() >= until || signal.aborted) return;
      // Who asks anew is told so.
      if (read.outcome === 'not_found') return;
      const now = read.outcome === 'found' ? read : null;
      const news = (withText ? textNews() : '') + (now ? statusNews(now) : '');
      if (news !== '') yield say(news);
      else if (performance.now() - saidAt >= HEARTBEAT_MS) yield say(': \n\n');
      if (now && followed.isEnded(now)) return;
      await changes.rest(ASK_EVERY_MS, signal);
    }
  } finally {
    changes.stop();
  }

  function say(text: string): string {
    saidAt = performance.now();
    return text;
  }

  function statusNews(status: Found): string {
    const tag = followed.tagOf(status);
    if (tag === told) return '';
    told = tag;
    return event('status', followed.toJson(status), tag);
  }

  function textNews(): string {
    const { attempt, text } = followed.text?.() ?? { attempt: 0, text: '' };
    const offset = attempt === written.attempt ? written.chars : 0;
    if (text.length <= offset) return '';
    written = { attempt, chars: text.length };
    return event('text', JSON.stringify({ attempt, offset, text: text.slice(offset) }));
  }
}

/** JSON has no line breaks of its own. */
const event = (name: string, json: string, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${json}\n\n`;
