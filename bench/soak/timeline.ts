/** What went on while a request was under way: `fault` counts before `rolling`, and that before `calm`. */
export type Phase = 'calm' | 'rolling' | 'fault';

interface Window {
  phase: Exclude<Phase, 'calm'>;
  from: number;
  to: number;
}

/** What follows a disturbance belongs to it this long, in ms: the balancer has to see that all is well again. */
const AFTERWARDS_MS = 1_500;

/** When the service was disturbed, and by what. */
export class Timeline {
  readonly #windows: Window[] = [];

  /** Runs it; the window stands open until it is over. */
  async during(phase: Window['phase'], disturbance: () => Promise<void>): Promise<void> {
    const window: Window = { phase, from: Date.now(), to: Infinity };
    this.#windows.push(window);
    await disturbance();
    window.to = Date.now() + AFTERWARDS_MS;
  }

  /** Of a request that began then and has ended now. */
  phaseSince(from: number): Phase {
    const touched = this.#windows.filter((window) => window.to >= from).map(({ phase }) => phase);
    if (touched.includes('fault')) return 'fault';
    return touched[0] ?? 'calm';
  }
}
