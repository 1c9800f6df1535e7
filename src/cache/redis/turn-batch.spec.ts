import { TurnBatch } from './turn-batch';

/** Answers each key with its own name, keys beginning with `no` with nothing. */
function batchOverNames(): { batch: TurnBatch<Buffer | null>; commands: string[][] } {
  const commands: string[][] = [];
  const batch = new TurnBatch<Buffer | null>(keys => {
    commands.push(keys);
    return Promise.resolve(keys.map(key => (key.startsWith('no') ? null : Buffer.from(key))));
  });
  return { batch, commands };
}
const names = (values: (Buffer | null)[]): (string | undefined)[] => values.map(value => value?.toString());
const keys = (count: number, head: string): string[] =>
  Array.from({ length: count }, (_, index) => `${head}${index}`);

describe('the batch of one turn', () => {
  test('puts all reads of one turn into one command, and gives each its own answers in its own order', async () => {
    const { batch, commands } = batchOverNames();
    const answers = await Promise.all([batch.ask(['b', 'a']), batch.ask(['no1', 'c']), batch.ask(['a'])]);
    expect(commands).toEqual([['b', 'a', 'no1', 'c']]);
    expect(answers.map(names)).toEqual([['b', 'a'], [undefined, 'c'], ['a']]);
  });

  test('waits for those who ask in a microtask of the same turn', async () => {
    const { batch, commands } = batchOverNames();
    const late = Promise.resolve()
      .then(() => undefined)
      .then(() => batch.ask(['b']));
    await Promise.all([batch.ask(['a']), late]);
    expect(commands.flat().sort()).toEqual(['a', 'b']);
    expect(commands).toHaveLength(1);
  });

  test('fetches a key once, also when one read names it twice', async () => {
    const { batch, commands } = batchOverNames();
    expect(names(await batch.ask(['a', 'a', 'b']))).toEqual(['a', 'a', 'b']);
    expect(commands).toEqual([['a', 'b']]);
  });

  test('the next turn is the next command', async () => {
    const { batch, commands } = batchOverNames();
    await batch.ask(['a']);
    await batch.ask(['a']);
    expect(commands).toEqual([['a'], ['a']]);
  });

  test('puts at most 512 keys into one command, without tearing a read apart', async () => {
    const { batch, commands } = batchOverNames();
    const [first, second, third] = await Promise.all([
      batch.ask(keys(300, 'a')),
      batch.ask(keys(212, 'b')),
      batch.ask(['c']),
    ]);
    expect(commands.map(command => command.length)).toEqual([512, 1]);
    expect([names(first).at(-1), names(second).at(-1), names(third)]).toEqual(['a299', 'b211', ['c']]);
  });

  test('a failure reaches everybody who waits for that command, and nobody else', async () => {
    let commands = 0;
    const batch = new TurnBatch<Buffer | null>(asked => {
      commands += 1;
      return commands === 1
        ? Promise.reject(new Error('away'))
        : Promise.resolve(asked.map(key => Buffer.from(key)));
    });
    const results = await Promise.allSettled([
      batch.ask(keys(300, 'a')),
      batch.ask(['a1']),
      batch.ask(keys(400, 'b')),
    ]);
    expect(results.map(result => result.status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(names(await batch.ask(['x']))).toEqual(['x']);
  });

  test('asks for nothing when nothing is asked', async () => {
    const { batch, commands } = batchOverNames();
    expect(await batch.ask([])).toEqual([]);
    expect(commands).toEqual([]);
  });

  test('asks for the longest life that anybody wants', async () => {
    const lives: number[] = [];
    const batch = new TurnBatch<string>((asked, lifeMs) => {
      lives.push(lifeMs);
      return Promise.resolve(asked);
    });
    await Promise.all([batch.ask(['a'], 10), batch.ask(['b'], 30), batch.ask(['a'], 20)]);
    await batch.ask(['a'], 5);
    expect(lives).toEqual([30, 5]);
  });
});
