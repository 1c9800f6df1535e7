import { IncomingMessage, ServerResponse, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ContextStorage } from '../node/context-storage';

/** What came of an internal request; the body is not kept, the cache has it. */
export interface InternalResponse {
  readonly status: number;
}

/** A refresh under way: what the handler of the inner request brought. */
export interface RefreshCapture<R> {
  readonly key: string;
  outcome: { readonly result: R } | { readonly error: unknown } | undefined;
}

/**
 * GET requests of the application to itself, without a socket: through middleware, router, guards and interceptors, so
 * that a warmed key is the key that a request reads. The async context goes along.
 */
@Injectable()
export class InternalRequests {
  readonly #refreshes = new ContextStorage<RefreshCapture<unknown>>();

  constructor(private readonly host: HttpAdapterHost) {}

  /** @throws Error when the response is given up before it is complete, or `signal` aborts */
  get(
    url: string,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<InternalResponse> {
    const listener = this.host.httpAdapter.getInstance<RequestListener>();
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const socket = new Sink() as unknown as Socket;
      const request = new IncomingMessage(socket);
      Object.assign(request, {
        method: 'GET',
        url,
        headers: { host: 'localhost', ...headers },
        httpVersion: '1.1',
        httpVersionMajor: 1,
        httpVersionMinor: 1,
      });
      request.push(null);
      const response = new ServerResponse(request);
      response.assignSocket(socket);
      const giveUp = (): void => void socket.destroy();
      signal?.addEventListener('abort', giveUp, { once: true });
      response.once('finish', () => resolve({ status: response.statusCode }));
      response.once('close', () => {
        signal?.removeEventListener('abort', giveUp);
        // After `finish` this changes nothing.
        reject(new Error(`the internal request of ${url} was given up`, { cause: signal?.reason }));
      });
      // The response of a real connection is closed by the server; here nobody else does it.
      response.once('finish', () => response.emit('close'));
      socket.once('close', () => response.emit('close'));
      listener(request, response);
    });
  }

  /**
   * Runs the handler of a request once more, behind an answer that has been given. In a request of its own, because the
   * first one's response has been sent: its status and headers can neither be set nor read any more.
   *
   * @throws what the handler throws; Error when the request did not come to it
   */
  async refresh<R>(
    key: string,
    url: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<R> {
    const capture: RefreshCapture<R> = { key, outcome: undefined };
    const response = await this.#refreshes
      .run(capture, () => this.get(url, headers, signal))
      .finally(() => this.#refreshes.rest());
    if (!capture.outcome)
      throw new Error(`the refresh was answered ${response.status} before it came to the handler`);
    if ('error' in capture.outcome) throw capture.outcome.error;
    return capture.outcome.result;
  }

  /** The refresh that the current request serves, if it is one of this key. */
  refreshOf(key: string): RefreshCapture<unknown> | undefined {
    const capture = this.#refreshes.current();
    return capture?.key === key && capture.outcome === undefined ? capture : undefined;
  }
}

/** The socket of an internal request: what is written goes nowhere. It belongs to this machine, as `remoteAddress` says. */
class Sink extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  readonly encrypted = false;

  override _read(): void {
    // Nothing ever comes in: the request has no body.
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }
}
