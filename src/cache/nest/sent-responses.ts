import type { HttpServer } from '@nestjs/common';

/**
 * Responses that the cache has written itself. Nest replies once more with the `undefined` that the interceptor emits,
 * and Express then takes a request that has been answered with 304 for a fresh one and touches headers that have left.
 * So the adapter's `reply` is told to let those responses be.
 */
export class SentResponses {
  readonly #sent = new WeakSet<object>();
  readonly #guarded = new WeakSet<object>();

  mark(response: object): void {
    this.#sent.add(response);
  }

  guard(adapter: HttpServer): void {
    if (this.#guarded.has(adapter)) return;
    this.#guarded.add(adapter);
    const reply = adapter.reply.bind(adapter) as (
      response: object,
      body: unknown,
      status?: number,
    ) => unknown;
    adapter.reply = (response: object, body: unknown, status?: number): unknown =>
      this.#sent.has(response) ? undefined : reply(response, body, status);
  }
}
