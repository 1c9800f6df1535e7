import { familyOf, gathered, partsOf, varyingPart } from './key-family';

describe('families of keys', () => {
  it.each([
    ['agents:list|limit=1:5', 'agents:list'],
    ['AgentsService.find|{"id":1}', 'AgentsService.find'],
    ['settings:all', 'settings:all'],
    ['model:llama', 'model:*'],
    ['a:b:c', 'a:b:*'],
    ['alone', 'alone'],
    [':odd', ':odd'],
  ])('%s is of %s', (key, family) => {
    expect(familyOf(key, new Set(['settings:all']))).toBe(family);
  });

  it('names the parts of the key of a route, of a method and of one made by hand', () => {
    expect(partsOf('r|limit=1:5|:id=1:7|@accept-language=2:de|!user=3:abc').map(({ name }) => name)).toEqual([
      'limit',
      ':id',
      '@accept-language',
      '!user',
    ]);
    expect(partsOf('m|1|"x=1"').map(({ name }) => name)).toEqual(['argument 1', 'argument 2']);
    expect(partsOf('user:7').map(({ name, text }) => [name, text])).toEqual([
      ['part 1', 'user'],
      ['part 2', '7'],
    ]);
  });

  it('finds the part that varies most, by the keys that there would be without it', () => {
    const keys = Array.from({ length: 60 }, (_, at) => `r|limit=1:${at % 3}|ts=2:${at}`);
    expect(varyingPart(keys)).toMatchObject({ name: 'ts', values: 60, keysWithout: 3 });
    expect(varyingPart([])).toBeUndefined();
    expect(varyingPart(['r|a=1'])).toMatchObject({ name: 'a', values: 1, keysWithout: 1 });
  });

  it.each([
    ['1712000000', true],
    ['1712000000123', true],
    ['2026-01-02T03:04:05Z', true],
    ['7b2f9f9e-1111-4222-8333-444455556666', true],
    ['0123456789abcdef', true],
    ['20', false],
    ['running', false],
    ['facade', false],
  ])('sees that %s looks made up for the request: %s', (value, looks) => {
    expect(varyingPart([`r|q=${value.length}:${value}`])!.looksMadeUp).toBe(looks);
  });

  it('gathers keys made by hand in which the middle varies, and leaves the others as they are', () => {
    const keysOf = (count: number, keyOf: (at: number) => string): { key: string; head: string }[] =>
      Array.from({ length: count }, (_, at) => ({
        key: keyOf(at),
        head: familyOf(keyOf(at), new Set()),
      }));
    const many = keysOf(50, at => `report:${at}:summary`);
    expect(new Set(gathered(many))).toEqual(new Set(['report:*:summary']));
    const few = keysOf(49, at => `report:${at}:summary`);
    expect(gathered(few)).toEqual(few.map(({ head }) => head));
    const ended = keysOf(60, at => `user:${at}`);
    expect(new Set(gathered([...ended, ...many]))).toEqual(new Set(['user:*', 'report:*:summary']));
    const routes = keysOf(60, at => `r:${at}|a=1:1`);
    expect(gathered(routes)).toEqual(routes.map(({ head }) => head));
  });
});
