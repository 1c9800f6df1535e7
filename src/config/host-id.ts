import { hostname } from 'node:os';

/** The host name, with what a host id may not hold replaced. */
export function nameOfHost(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 128) || 'localhost'
  );
}
