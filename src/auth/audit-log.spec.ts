import type { AppConfig } from '../config/app-config';
import { AuditLog, type AuditEntry } from './audit-log';
import type { AuditRepository, NewAuditRow } from './audit.repository';

const actor = { id: 'loopback', requestId: 'r' };
const entry = (n: number): AuditEntry => ({
  action: 'invalidate',
  target: { tags: [`t${n}`] },
  count: 1,
  result: 'applied',
});

/** A database that answers when it is told to. */
class HeldRepository {
  readonly rows: NewAuditRow[] = [];
  readonly pruned: number[] = [];
  held: Promise<void> = Promise.resolve();
  failures = 0;

  async insert(rows: readonly NewAuditRow[]): Promise<void> {
    await this.held;
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('the database is away');
    }
    this.rows.push(...rows);
  }

  async prune(maxRows: number): Promise<void> {
    this.pruned.push(maxRows);
  }
}

function logOver(repository: HeldRepository): AuditLog {
  const config = { admin: { auditMaxRows: 500 } } as AppConfig;
  return new AuditLog(config, repository as unknown as AuditRepository);
}

describe('the queue of the audit log', () => {
  beforeEach(() => {
    jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  });

  it('keeps the order, and holds no more than a thousand while the database does not answer', async () => {
    const repository = new HeldRepository();
    let release = (): void => undefined;
    repository.held = new Promise(resolve => (release = resolve));
    const log = logOver(repository);
    for (let n = 0; n < 1_100; n += 1) log.record(actor, entry(n));
    expect(log.counts).toEqual({ queued: 1_000, written: 0, dropped: 100 });
    release();
    await log.onApplicationShutdown();
    expect(log.counts).toEqual({ queued: 0, written: 1_000, dropped: 100 });
    expect(repository.rows.map(row => row.target)).toEqual(
      Array.from({ length: 1_000 }, (_, n) => ({ tags: [`t${n}`] })),
    );
    expect(repository.pruned).toContain(500);
  });

  it('writes once what failed at first', async () => {
    const repository = new HeldRepository();
    repository.failures = 1;
    const log = logOver(repository);
    log.record(actor, entry(1));
    log.record(actor, entry(2));
    await log.onApplicationShutdown();
    expect(repository.rows.map(row => row.target)).toEqual([{ tags: ['t1'] }, { tags: ['t2'] }]);
  });

  it('gives up at the end after a while, and says in the log what was not written', async () => {
    const repository = new HeldRepository();
    repository.failures = Infinity;
    const log = logOver(repository);
    log.record(actor, entry(1));
    await log.onApplicationShutdown();
    expect(repository.rows).toEqual([]);
    expect(log.counts.queued).toBe(0);
    const written = jest.mocked(process.stdout.write).mock.calls.flat().join('');
    expect(written).toContain('not in the audit log');
  });
});
