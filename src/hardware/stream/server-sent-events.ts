/** Server-Sent Events as text (WHATWG HTML, 9.2.6). Each ends with an empty line; data is one line of JSON. */

/** Media type of a stream of events. */
export const eventStreamType = 'text/event-stream; charset=utf-8';

/** One event; `id` comes back as `Last-Event-ID` when a client connects anew. */
export function eventText(name: string, data: unknown, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** What every client skips: keeps proxies from taking a quiet stream for a dead one. */
export function commentText(text: string): string {
  return `: ${text}\n\n`;
}

/** After how many milliseconds a client that lost its connection connects anew. */
export function retryText(milliseconds: number): string {
  return `retry: ${milliseconds}\n\n`;
}
