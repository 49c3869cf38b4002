/** Cursors of pages that go down by id, each kind with a name of its own. */
export interface IdCursor {
  of(id: string): string;
  /** The id before which the page begins: past all where there is no cursor; null where it is none of this kind. */
  read(cursor: string | undefined): number | null;
}

export function idCursor(kind: string): IdCursor {
  const pattern = new RegExp(`^${kind}:(\\d{1,15})$`);
  return {
    of: (id) => Buffer.from(`${kind}:${id}`).toString('base64url'),
    read(cursor) {
      if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
      const id = pattern.exec(Buffer.from(cursor, 'base64url').toString('utf8'))?.[1];
      return id === undefined ? null : Number(id);
    },
  };
}
