/** One server-sent event. */
export interface ServerEvent {
  event: string;
  data: string;
  /** The id of this event or, where it has none, of the last one that had. */
  id: string;
}

/**
 * Reads `text/event-stream` as the HTML standard says, however it is cut into pieces: the returned function takes the
 * next piece. An event that is not whole at the end of the stream is none. (Our own, as the package depends on nothing.)
 */
export function createEventParser(onEvent: (event: ServerEvent) => void): (piece: string) => void {
  let line = '';
  let event = '';
  let data: string[] = [];
  let id = '';

  function read(whole: string): void {
    if (whole === '') {
      if (data.length > 0) onEvent({ event: event || 'message', data: data.join('\n'), id });
      event = '';
      data = [];
      return;
    }
    // Not `.`: that stops at U+2028 and U+2029, which are no ends of lines here.
    const [, field, value = ''] = /^([^:]*):? ?([^]*)$/.exec(whole) ?? [];
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
    else if (field === 'id') id = value;
  }

  return (piece) => {
    // A CR at the end may be the first half of a CRLF.
    const lines = (line + piece).split(/\r\n|\n|\r(?!$)/);
    line = lines.pop() ?? '';
    for (const whole of lines) read(whole);
  };
}
