import assert from 'node:assert/strict';
import { createEventParser, type ServerEvent } from '../src/client/event-parser.js';

function eventsIn(...pieces: string[]): ServerEvent[] {
  const events: ServerEvent[] = [];
  const parse = createEventParser((event) => events.push(event));
  for (const piece of pieces) parse(piece);
  return events;
}

describe('The parser of server-sent events', () => {
  it('reads events with their names and ids, and nothing else', () => {
    const text = ': padding\nretry: 1000\n\nid: 4\nevent: status\ndata: {"a": 1}\n\n: \n\nevent: text\ndata:  b: c\n\n';
    assert.deepEqual(eventsIn(text), [
      { event: 'status', data: '{"a": 1}', id: '4' },
      { event: 'text', data: ' b: c', id: '4' },
    ]);
  });

  it('puts lines of data together, and takes a field without a value as an empty one', () => {
    assert.deepEqual(eventsIn('data\ndata:b\ndata: c\n\n', 'event: none\n\n', 'data\n\n'), [
      { event: 'message', data: '\nb\nc', id: '' },
      { event: 'message', data: '', id: '' },
    ]);
  });

  for (const end of ['\n', '\r\n', '\r']) {
    it(`reads the same, wherever it is cut, with lines that end with ${JSON.stringify(end)}`, () => {
      const text = ['id: 1', 'event: status', 'data: {}', '', 'data: b', '', ': more'].join(end);
      const whole = eventsIn(text);
      assert.deepEqual(whole, [
        { event: 'status', data: '{}', id: '1' },
        { event: 'message', data: 'b', id: '1' },
      ]);
      for (let at = 0; at <= text.length; at += 1)
        assert.deepEqual(eventsIn(text.slice(0, at), text.slice(at)), whole, `cut at ${at}`);
      assert.deepEqual(eventsIn(...Array.from(text)), whole);
    });
  }

  it('takes what ends a line in JavaScript alone for a part of the text', () => {
    const data = JSON.stringify({ text: 'one\u2028two\u2029three\u0085four' });
    assert.deepEqual(eventsIn(`data: ${data}\n\n`), [{ event: 'message', data, id: '' }]);
  });

  it('makes no event of one that is not whole', () => {
    assert.deepEqual(eventsIn('event: status\ndata: {}\n'), []);
  });
});
