import { readConfig } from '../config.js';
import { embeddedAuth, signToken } from './demo-account.js';

// `npm run token -- <owner> [scope]`: prints a token that the `npm start` of this folder takes.
const [owner, scope] = process.argv.slice(2);
const config = readConfig();
const auth = config.auth ?? (await embeddedAuth(config.dataDir));
if (owner === undefined) {
  process.stderr.write('Usage: npm run token -- <owner> ["scope scope"]   such as: npm run token -- me admin\n');
  process.exitCode = 1;
} else if (auth.kind === 'jwks') {
  process.stderr.write('Tokens are signed by whoever keeps the keys at AUTH_JWKS_URL.\n');
  process.exitCode = 1;
} else {
  process.stdout.write(`${await signToken(auth, owner, scope)}\n`);
}
