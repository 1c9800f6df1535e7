import type { WarmRequest } from './warm-up.decorator';

/**
 * The URL of a route for given parameters: `/api/v1/agents/:id` and `{ id: 'a b' }` make `/api/v1/agents/a%20b`. Optional
 * groups (`{/:page}`) are filled when their parameters are given.
 *
 * @throws Error when a parameter of the path is missing
 */
export function routeUrl(template: string, { params = {}, query = {} }: WarmRequest): string {
  const fill = (text: string): string =>
    text.replace(/([:*])(\w+)/g, (_match, mark: string, name: string) => {
      const value = params[name];
      if (value === undefined)
        throw new Error(`a request to be warmed lacks the parameter ${name} of ${template}`);
      return mark === '*' ? value.split('/').map(encodeURIComponent).join('/') : encodeURIComponent(value);
    });
  const path = template.replace(/\{([^{}]*)\}/g, (_match, group: string) =>
    [...group.matchAll(/[:*](\w+)/g)].every(([, name]) => params[name!] !== undefined) ? group : '',
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const item of typeof value === 'string' ? [value] : value) search.append(name, item);
  }
  return fill(path) + (search.size > 0 ? `?${search.toString()}` : '');
}
