import { keyedHeaderValue, weightedItems } from './header-values';

describe('a header in the key', () => {
  it.each<[string | string[] | undefined, string | undefined]>([
    [undefined, undefined],
    ['  de   ,en ', 'de ,en'],
    [['de', 'en'], 'de, en'],
  ])('%j without known values is %j, one line (RFC 9110 §5.2, §5.3)', (value, expected) => {
    expect(keyedHeaderValue({ name: 'x-own', oneOf: undefined }, value)).toBe(expected);
  });

  it.each<[string | string[] | undefined, string]>([
    [undefined, 'en'],
    ['de', 'de'],
    ['DE-at', 'de'],
    ['zh-Hant-TW', 'zh-Hant'],
    ['fr, de;q=0.5', 'de'],
    ['de;q=0.5, zh-Hant;q=0.8', 'zh-Hant'],
    ['de;q=0, *', 'en'],
    [['fr', 'de'], 'de'],
    ['xyz1', 'en'],
    ['-', 'en'],
    ['de;q=high', 'en'],
  ])('Accept-Language %j is one of the languages of the route: %s (RFC 4647 §3.4)', (value, expected) => {
    expect(keyedHeaderValue({ name: 'accept-language', oneOf: ['en', 'de', 'zh-Hant'] }, value)).toBe(
      expected,
    );
  });

  it.each([
    ['text/csv', 'text/csv'],
    ['text/csv;q=0.1, application/json', 'application/json'],
    ['image/png', 'application/json'],
    ['*/*', 'application/json'],
  ])('Accept %j is one of the types of the route: %s (RFC 9110 §12.5.1)', (value, expected) => {
    const accept = { name: 'accept', oneOf: ['application/json', 'text/csv'] };
    expect(keyedHeaderValue(accept, value)).toBe(expected);
  });
});

describe('a weighted list (RFC 9110 §12.4.2)', () => {
  it.each<[string, [string, number][]]>([
    [
      'a, b;q=0.5, c',
      [
        ['a', 1],
        ['c', 1],
        ['b', 0.5],
      ],
    ],
    [
      'A ; q=0.123 , ,b;x=1',
      [
        ['b', 1],
        ['a', 0.123],
      ],
    ],
    [
      'a;q=2, b;q=-1, c;q=',
      [
        ['a', 0],
        ['b', 0],
        ['c', 0],
      ],
    ],
    ['a;q=1.001', [['a', 1]]],
    ['', []],
  ])('%j is %j', (value, expected) => {
    expect(weightedItems(value).map(({ item, weight }) => [item, weight])).toEqual(expected);
  });
});
