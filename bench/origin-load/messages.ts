/** What requests of one route, or nobody in particular, made the instance ask for. */
export interface Asked {
  /** Statements that went to the database, pings among them. */
  queries: number;
  ollama: number;
}

/** By route, as the header of the request names it. */
export type AskedByRoute = Readonly<Record<string, Asked>>;

/** Names the route of a request for the attribution; nothing in the application reads it. */
export const routeHeader = 'x-bench-route';
/** What was asked outside of any request. */
export const background = 'background';

export interface InstanceSettings {
  readonly cache: boolean;
}

export type ToInstance = { readonly kind: 'begin' } | { readonly kind: 'asked' } | { readonly kind: 'stop' };

export type FromInstance =
  | { readonly kind: 'ready'; readonly port: number; readonly hasHeartbeats: boolean }
  | { readonly kind: 'begun' }
  | {
      readonly kind: 'asked';
      readonly byRoute: AskedByRoute;
    };
