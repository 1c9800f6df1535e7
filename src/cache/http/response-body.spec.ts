import { renderBody } from './response-body';

const json = 'application/json; charset=utf-8';
const html = 'text/html; charset=utf-8';

describe('a body is rendered as Nest and Express would', () => {
  it.each<[unknown, string | undefined, string, string | undefined]>([
    [undefined, undefined, '', undefined],
    [null, undefined, '', undefined],
    [null, 'text/plain', '', 'text/plain'],
    [{ a: [1, null] }, undefined, '{"a":[1,null]}', json],
    [[], undefined, '[]', json],
    [new Date(0), undefined, '"1970-01-01T00:00:00.000Z"', json],
    [{ a: 1 }, 'application/vnd.x+json', '{"a":1}', 'application/vnd.x+json; charset=utf-8'],
    [{ a: 1 }, 'application/json; charset=latin1', '{"a":1}', json],
    ['', undefined, '', html],
    ['é', 'text/plain', 'é', 'text/plain; charset=utf-8'],
    [0, undefined, '0', html],
    [false, undefined, 'false', html],
    [10n, undefined, '10', html],
  ])('%p with content type %p', (result, given, text, contentType) => {
    const rendered = renderBody(result, given);
    expect(Buffer.from(rendered.body).toString()).toBe(text);
    expect(rendered.contentType).toBe(contentType);
  });

  it("obeys the application's settings for JSON", () => {
    const rendered = renderBody({ a: '<b>', c: 1 }, undefined, { escape: true, replacer: ['a'], spaces: 1 });
    expect(Buffer.from(rendered.body).toString()).toBe('{\n "a": "\\u003cb\\u003e"\n}');
  });

  it('throws for what JSON cannot represent, as Express does', () => {
    expect(() => renderBody({ a: 1n }, undefined)).toThrow(TypeError);
  });
});
