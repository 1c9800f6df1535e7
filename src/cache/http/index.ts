export * from './cache-control';
export * from './cache-status';
export * from './conditional';
export * from './eligibility';
export { escapeText, headPattern, joinKey, lengthPrefixed } from './key-text';
export * from './request-key';
export * from './response-body';
export * from './stored-response';
