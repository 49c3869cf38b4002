import { PGlite } from '@electric-sql/pglite';

// Run as a process of its own by embedded-database.ts: creates an empty database in the folder it is given.
const database = await PGlite.create({ dataDir: process.argv[2] ?? '' });
await database.close();
