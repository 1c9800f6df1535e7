import { mergedVary, varyNames } from './vary';

describe('Vary (RFC 9110 §12.5.5)', () => {
  it.each<[string | string[] | undefined, string[], string | undefined]>([
    [undefined, [], undefined],
    [undefined, ['Accept-Language'], 'Accept-Language'],
    ['Origin', ['Accept-Encoding', 'Accept-Language'], 'Origin, Accept-Encoding, Accept-Language'],
    ['Origin', ['origin'], 'Origin'],
    [['Origin', 'Accept'], ['Accept'], 'Origin,Accept'],
    ['*', ['Origin'], '*'],
    ['Origin', [], 'Origin'],
  ])('%j with %j is %j', (value, names, expected) => {
    expect(mergedVary(value, names)).toBe(expected);
  });

  it('is read name by name, in lower case', () => {
    expect(varyNames('Origin , ACCEPT,')).toEqual(['origin', 'accept']);
    expect(varyNames(undefined)).toEqual([]);
  });
});
