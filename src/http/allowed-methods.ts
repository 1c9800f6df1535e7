import type { Request } from 'express';

/** The part of Express's router that tells which routes there are. */
interface Layer {
  route?: { methods: Record<string, boolean> };
  match(path: string): boolean;
}

/** The methods that routes of this path answer to, in the order of registration, for 405 and `Allow` (RFC 9110, 15.5.6). */
export function allowedMethods(request: Request): string[] {
  const { stack } = (request.app as unknown as { router: { stack: Layer[] } }).router;
  const methods = new Set<string>();
  for (const layer of stack) {
    if (!layer.route || isMiddleware(layer.route) || !matches(layer, request.path)) continue;
    for (const [method, isHandled] of Object.entries(layer.route.methods)) {
      if (!isHandled) continue;
      methods.add(method.toUpperCase());
      if (method === 'get') methods.add('HEAD');
    }
  }
  return [...methods];
}

/** The framework binds middleware as a route for every method there is. */
function isMiddleware(route: NonNullable<Layer['route']>): boolean {
  return route.methods['_all'] === true || route.methods['trace'] === true;
}

function matches(layer: Layer, path: string): boolean {
  try {
    return layer.match(path);
  } catch (error) {
    if ((error as { status?: unknown }).status === 400) return false; // a broken percent-encoding matches nothing
    throw error;
  }
}
