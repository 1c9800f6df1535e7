import { routeUrl } from './route-url';

describe('the URL of a route to be warmed', () => {
  it.each([
    ['/api/v1/agents', {}, '/api/v1/agents'],
    ['/api/v1/agents/:id', { params: { id: 'a b/c' } }, '/api/v1/agents/a%20b%2Fc'],
    ['/files/*path', { params: { path: 'a b/c' } }, '/files/a%20b/c'],
    ['/list{/:page}', {}, '/list'],
    ['/list{/:page}', { params: { page: '2' } }, '/list/2'],
    [
      '/agents',
      { query: { limit: '5', status: ['idle', 'a&b'] } },
      '/agents?limit=5&status=idle&status=a%26b',
    ],
  ])('%s with %j is %s', (template, request, expected) => {
    expect(routeUrl(template, request)).toBe(expected);
  });

  it('lacks nothing', () => {
    expect(() => routeUrl('/agents/:id', {})).toThrow('lacks the parameter id of /agents/:id');
  });
});
