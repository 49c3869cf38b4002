import Mocha from 'mocha';

/** Mocha's own report, and one line at the end that says the same to any reader of logs. */
// eslint-disable-next-line import-x/no-default-export -- how mocha finds a reporter
export default class extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      console.log(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`);
    });
  }
}
