import type { Server, ServerResponse } from 'node:http';
import { onceOver } from './connection-end';

/** Requests under way may take so long after the server was told to close; then their connections are ended. */
const patienceMs = 3_000;

/**
 * Lets a server that is told to close come to its end under requests. Node waits for every connection, and one on which
 * a client asks again and again is never idle: from now on each answer says that it is the last of its connection, and a
 * request that takes longer than three seconds is given up, so that there is time left for everything behind it.
 */
export function drainOnClose(server: Server, limitMs = patienceMs): void {
  const open = new Set<ServerResponse>();
  let closing = false;
  server.prependListener('request', (_request, response) => {
    if (closing) response.setHeader('Connection', 'close');
    open.add(response);
    onceOver(response, () => open.delete(response));
  });
  const close = server.close.bind(server);
  server.close = callback => {
    closing = true;
    for (const response of open) if (!response.headersSent) response.setHeader('Connection', 'close');
    const late = setTimeout(() => server.closeAllConnections(), limitMs);
    return close(error => {
      clearTimeout(late);
      callback?.(error);
    });
  };
}
