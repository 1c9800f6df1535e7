/** What the rest of the application, and other applications, may import of the cache. */
export * from './core';
