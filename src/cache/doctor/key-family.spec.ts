import { familyOf, partsOf, varyingPart } from './key-family';

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
    expect(varyingPart(keys)).toEqual({ name: 'ts', values: 60, keysWithout: 3 });
    expect(varyingPart([])).toBeUndefined();
    expect(varyingPart(['r|a=1'])).toEqual({ name: 'a', values: 1, keysWithout: 1 });
  });
});
