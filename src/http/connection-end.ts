import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What waits for the end of a connection. One listener serves all of them: a client may have many requests on its way. */
const waiting = new WeakMap<Socket, Set<() => void>>();

/** Whether nobody will get more of a response: it has been sent or destroyed, or its connection has ended. */
export function isOver(response: ServerResponse): boolean {
  return response.destroyed || response.req.socket.destroyed;
}

/**
 * Calls back once, when a response has been sent or its connection has ended; at once when that has been. Answers with what
 * takes the call back.
 *
 * `close` of the response does not tell by itself: of one that waits behind another one on its connection (pipelining,
 * RFC 9112 §9.3.2) Node emits none when the connection ends, nor when it is destroyed.
 */
export function onceOver(response: ServerResponse, call: () => void): () => void {
  if (isOver(response)) {
    call();
    return () => undefined;
  }
  const calls = waitingFor(response.req.socket);
  const forget = (): void => {
    calls.delete(over);
    response.off('close', over);
  };
  const over = (): void => {
    forget();
    call();
  };
  calls.add(over);
  response.once('close', over);
  return forget;
}

function waitingFor(socket: Socket): Set<() => void> {
  const known = waiting.get(socket);
  if (known) return known;
  const calls = new Set<() => void>();
  waiting.set(socket, calls);
  socket.once('close', () => {
    for (const call of calls) call();
  });
  return calls;
}
