import type { ServerResponse } from 'node:http';

/** How pulls go: as with Ollama, or in one of the ways in which they fail. */
export type PullMood =
  | 'well'
  /** 500 before anything else. */
  | 'error'
  /** Nothing is said at all, or nothing more in the middle. */
  | 'silent'
  | 'hang'
  | 'cut-off'
  | 'malformed-line'
  | 'wrong-shape'
  | 'huge-line'
  /** As Ollama says it: status 200, and a line with `error` in the middle. */
  | 'error-line'
  /** The stream ends, and nothing has said `success`. */
  | 'ends-early';

const digest = 'sha256:dde5aa3fc5ffc17176b5e8bdc82f587b24b2678c6c66101bf7da77af9f7ccdff';
const layer = { status: `pulling ${digest.slice(7, 19)}`, digest, total: 1_000 };
const nameRule = /^[A-Za-z0-9][A-Za-z0-9._-]*([:/][A-Za-z0-9._-]+)*$/;

/** POST /api/pull of a fake Ollama (docs/api.md, "Pull a Model"): what its registry has, and how the way here goes. */
export class OllamaPulls {
  mood: PullMood = 'well';
  /** Names that there are. */
  registry = ['new:1b', 'other:1b', 'third:1b', 'hf.co/team/coder:Q8_0', 'tiny:latest'];
  /** Pulls whose client went before they had ended. */
  abandoned = 0;
  #underWay = 0;
  #held: Promise<void> | undefined;

  constructor(private readonly add: (name: string) => void) {}

  get underWay(): number {
    return this.#underWay;
  }

  /** From now on pulls stop in the middle of their layer, until the function that comes back is called. */
  hold(): () => void {
    let release!: () => void;
    this.#held = new Promise(resolve => (release = resolve));
    return () => {
      this.#held = undefined;
      release();
    };
  }

  async answer(asked: string, response: ServerResponse): Promise<void> {
    if (this.mood === 'silent') return;
    if (this.mood === 'error') return refuse(response, 500, 'open /root/.ollama: permission denied');
    if (typeof asked !== 'string' || !nameRule.test(asked))
      return refuse(response, 400, 'invalid model name');
    const name = asked.slice(asked.lastIndexOf('/') + 1).includes(':') ? asked : `${asked}:latest`;
    this.#underWay += 1;
    response.once('close', () => {
      this.#underWay -= 1;
      if (!response.writableEnded) this.abandoned += 1;
    });
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    const say = (line: object): void => void response.write(`${JSON.stringify(line)}\n`);
    say({ status: 'pulling manifest' });
    if (!this.registry.includes(name)) {
      say({ error: 'pull model manifest: file does not exist' });
      return void response.end();
    }
    say(layer);
    say({ ...layer, completed: 500 });
    await this.#held;
    switch (this.mood) {
      case 'well':
        break;
      case 'hang':
        return;
      case 'cut-off':
        return void setImmediate(() => response.destroy());
      case 'malformed-line':
        return void response.end('{"status":"pulling\n');
      case 'wrong-shape':
        return void response.end('{"status":7}\n');
      case 'huge-line':
        return void response.end(`{"status":"${'x'.repeat(100_000)}"}\n`);
      case 'error-line':
        say({ error: 'max retries exceeded: Get "http://10.0.0.3/blob": EOF' });
        return void response.end();
      case 'ends-early':
        return void response.end();
    }
    say({ ...layer, completed: 1_000 });
    for (const status of ['verifying sha256 digest', 'writing manifest']) say({ status });
    this.add(name);
    say({ status: 'success' });
    response.end();
  }
}

function refuse(response: ServerResponse, status: number, error: string): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' })
    .end(JSON.stringify({ error }));
}
