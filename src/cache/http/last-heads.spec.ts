import { LastHeads, type HeadOf } from './last-heads';
import { representationFor } from './representation';
import { StoredResponse } from './stored-response';

const responseOf = (text: string): StoredResponse =>
  StoredResponse.of({ status: 200, headers: { 'content-type': 'text/plain' }, body: Buffer.from(text) });
const stored = responseOf('a'.repeat(2_000));
const headOf = (changed: Partial<HeadOf> = {}, headers: Record<string, string> = {}): HeadOf => {
  const response = changed.stored ?? stored;
  return {
    stored: response,
    representation: representationFor({ headers }, response),
    age: 1,
    fresh: 9,
    vary: undefined,
    ...changed,
  };
};

describe('LastHeads', () => {
  let made: number;
  const make = (): readonly string[] => [`X-Made`, String((made += 1))];
  beforeEach(() => (made = 0));

  it('makes the head of one second once', () => {
    const heads = new LastHeads();
    expect(heads.fields(headOf(), make)).toBe(heads.fields(headOf(), make));
    expect(made).toBe(1);
  });

  it.each<[string, Partial<HeadOf>]>([
    ['a second later', { age: 2 }],
    ['with less life left', { fresh: 8 }],
    ['with another Vary on the response', { vary: 'Origin' }],
    ['of another response under the same key, were it equal', { stored: responseOf('a'.repeat(2_000)) }],
  ])('makes the head anew %s', (_, changed) => {
    const heads = new LastHeads();
    heads.fields(headOf(), make);
    heads.fields(headOf(changed), make);
    expect(made).toBe(2);
  });

  it('keeps one for each coding, with content and without', () => {
    const heads = new LastHeads();
    const forms = ['identity', 'br', 'gzip'].flatMap((coding): Record<string, string>[] => {
      const { etag } = representationFor({ headers: { 'accept-encoding': coding } }, stored);
      return [{ 'accept-encoding': coding }, { 'accept-encoding': coding, 'if-none-match': etag }];
    });
    const first = forms.map(headers => heads.fields(headOf({}, headers), make));
    expect(new Set(first).size).toBe(6);
    expect(forms.map(headers => heads.fields(headOf({}, headers), make))).toEqual(first);
    expect(made).toBe(6);
  });
});
