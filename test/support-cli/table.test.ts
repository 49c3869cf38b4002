import assert from 'node:assert/strict';
import { facts, harmless, table } from '../../src/support-cli/table.js';

describe('What the CLI of support prints', () => {
  it('is a table as wide as it must be, without spaces at the end of a line', () => {
    assert.equal(
      table(
        ['task', 'why'],
        [
          ['a', ''],
          ['long one', 'x'],
        ],
      ),
      'TASK      WHY\na\nlong one  x',
    );
    assert.equal(
      facts([
        ['a', '1'],
        ['bcd', ''],
      ]),
      'a    1\nbcd',
    );
  });

  it('shows control characters as what they are', () => {
    assert.equal(harmless('a\u001b[2Jb\u0007\u009bc\rd\ne\tf'), 'a\\u001b[2Jb\\u0007\\u009bc\\u000dd\ne\tf');
  });
});
