import { setTimeout as sleep } from 'node:timers/promises';
import { type Application } from './harness/application';
import { eventually } from './harness/eventually';
import { type TwoInstances, twoInstances } from './harness/two-instances';

/** The staleness bound Δ: a write is seen everywhere at most so much later. */
const boundMs = 2_000;
const writers = 50;

interface Versioned {
  version: number;
}
interface Agent extends Versioned {
  id: string;
  capabilities: string[];
}
interface Settings extends Versioned {
  performance: { agents_page_size: number };
}

/** A 200 that some writer got: the version, where, and when its answer was there. */
interface Win extends Versioned {
  instance: number;
  atMs: number;
}
/** A read: what it showed, where, and when it began. */
interface Seen extends Versioned {
  instance: number;
  atMs: number;
}

/**
 * Reads that show an older version than they may: on the instance of a write than that of any 200 that was there when the read
 * began, on the other one than that of any 200 that had been there for the bound.
 */
function tooOld(wins: readonly Win[], reads: readonly Seen[]): object[] {
  return reads.flatMap(read => {
    const due = wins
      .filter(win => win.atMs + (win.instance === read.instance ? 0 : boundMs) <= read.atMs)
      .reduce((most, { version }) => Math.max(most, version), 0);
    return read.version < due ? [{ ...read, due }] : [];
  });
}

describe('lost updates', () => {
  let two: TwoInstances | undefined;
  let instances: Application[];

  beforeAll(async () => {
    two = await twoInstances();
    instances = [two.a, two.b];
  }, 60_000);
  afterAll(() => two?.stop());

  /**
   * Fifty writers on both instances, each trying until it has won once: it reads, lays its change over what it has read, and
   * writes under that version. Meanwhile readers read on both. Resolves when all have won and the bound has passed.
   */
  async function contend<T extends Versioned>(
    path: string,
    change: (current: T, writer: number) => object,
  ): Promise<{ wins: Win[]; reads: Seen[]; refused: number; largest: number }> {
    const wins: Win[] = [];
    const reads: Seen[] = [];
    let refused = 0;
    let isOver = false;
    const read = async (instance: number): Promise<T> => {
      const atMs = performance.now();
      const { body } = await instances[instance]!.get<T>(path);
      reads.push({ version: body.version, instance, atMs });
      return body;
    };
    const write = async (writer: number): Promise<void> => {
      const instance = writer % instances.length;
      for (;;) {
        const current = await read(instance);
        const answer = await instances[instance]!.patch<T>(path, change(current, writer), {
          'If-Match': `"${current.version}"`,
        });
        if (answer.status === 200)
          return void wins.push({ version: answer.body.version, instance, atMs: performance.now() });
        expect([answer.status, (answer.body as { code?: string }).code]).toEqual([
          412,
          'PRECONDITION_FAILED',
        ]);
        refused += 1;
      }
    };
    const keepReading = async (instance: number): Promise<void> => {
      // Every few milliseconds: readers that never pause would leave the writers no processor.
      for (; !isOver; await sleep(5)) await read(instance);
    };
    const readers = instances.map((_app, instance) => keepReading(instance));
    await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
    // A read of each instance that began when the bound of the last write had passed.
    const lastMs = Math.max(...wins.map(({ atMs }) => atMs));
    await eventually(() => {
      for (const instance of instances.keys())
        expect(reads.some(seen => seen.instance === instance && seen.atMs > lastMs + boundMs)).toBe(true);
    });
    isOver = true;
    await Promise.all(readers);
    return { wins, reads, refused, largest: Math.max(...wins.map(({ version }) => version)) };
  }

  test('of an agent: all fifty changes are there, and no read was older than it may be', async () => {
    const { body: made } = await instances[0]!.post<Agent>('/api/v1/agents', {
      name: 'Contended',
      type: 'test',
    });
    const path = `/api/v1/agents/${made.id}`;
    const outcome = await contend<Agent>(path, ({ capabilities }, writer) => ({
      capabilities: [...capabilities, `writer-${writer}`],
    }));
    expect(outcome.refused).toBeGreaterThan(0);
    expect(new Set(outcome.wins.map(({ version }) => version)).size).toBe(writers);
    for (const app of instances) {
      const { body } = await app.get<Agent>(path);
      // A change that was lost would be missing: each was laid over all that were there.
      expect([...body.capabilities].sort()).toEqual(
        Array.from({ length: writers }, (_, writer) => `writer-${writer}`).sort(),
      );
      expect(body.version).toBe(outcome.largest);
    }
    expect(tooOld(outcome.wins, outcome.reads)).toEqual([]);
  }, 120_000);

  test('of the settings: each of fifty versions is one winner’s, and no read was older than it may be', async () => {
    const { version: first } = (await instances[0]!.get<Settings>('/api/v1/settings')).body;
    const outcome = await contend<Settings>('/api/v1/settings', (_current, writer) => ({
      performance: { agents_page_size: 100 + writer },
    }));
    expect(outcome.refused).toBeGreaterThan(0);
    expect(outcome.wins.map(({ version }) => version).sort((a, b) => a - b)).toEqual(
      Array.from({ length: writers }, (_, n) => first + 1 + n),
    );
    const { history } = (
      await instances[1]!.get<{ history: { version: number; change: Settings }[] }>(
        '/api/v1/settings/history?limit=100',
      )
    ).body;
    const ours = history.filter(({ version }) => version > first);
    // Every winner's change is in the history once, and the last one is what there is.
    expect(ours.map(({ change }) => change.performance.agents_page_size).sort()).toEqual(
      Array.from({ length: writers }, (_, writer) => 100 + writer),
    );
    for (const app of instances)
      expect((await app.get<Settings>('/api/v1/settings')).body).toMatchObject({
        version: outcome.largest,
        performance: { agents_page_size: ours[0]!.change.performance.agents_page_size },
      });
    expect(tooOld(outcome.wins, outcome.reads)).toEqual([]);
  }, 120_000);

  test('of one version fifty writers on two instances make one change', async () => {
    const { body: made } = await instances[0]!.post<Agent>('/api/v1/agents', {
      name: 'Won once',
      type: 'test',
    });
    const path = `/api/v1/agents/${made.id}`;
    const answers = await Promise.all(
      Array.from({ length: writers }, (_, writer) =>
        instances[writer % 2]!.patch<Agent>(
          path,
          { capabilities: [`writer-${writer}`] },
          { 'If-Match': `"${made.version}"` },
        ),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([
      200,
      ...Array<number>(writers - 1).fill(412),
    ]);
    const { body: winner } = answers.find(({ status }) => status === 200)!;
    for (const app of instances)
      await eventually(async () => expect((await app.get<Agent>(path)).body).toEqual(winner), boundMs);
  });
});
