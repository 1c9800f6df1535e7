/** Redis Cluster spreads keys over so many slots (Redis Cluster specification, "Key distribution model"). */
export const slotCount = 16_384;

/** CRC-16/XMODEM, polynomial 0x1021: the table of all bytes. */
const crcTable = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/**
 * The slot of a hash tag: of what stands between the braces of a key, or of a whole key without braces. Our keys and tags
 * are ASCII.
 */
export function slotOf(hashTag: string): number {
  let crc = 0;
  for (let at = 0; at < hashTag.length; at += 1) {
    crc = ((crc << 8) & 0xffff) ^ crcTable[(crc >> 8) ^ (hashTag.charCodeAt(at) & 0xff)]!;
  }
  return crc % slotCount;
}

/** With one slot alone this many attempts miss it once in 10^13 times. */
const maxTagAttempts = 30 * slotCount;

/** A hash tag whose slot `isOurs`: the same for everybody who asks about the same slots. Undefined when there is none. */
export function hashTagWhere(isOurs: (slot: number) => boolean): string | undefined {
  for (let attempt = 0; attempt < maxTagAttempts; attempt += 1) {
    const tag = attempt.toString(36);
    if (isOurs(slotOf(tag))) return tag;
  }
  return undefined;
}

/** Puts what stands in one slot together, in the order given. */
export function bySlot<T>(items: readonly T[], slotOfItem: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const slot = slotOfItem(item);
    const group = groups.get(slot);
    if (group) group.push(item);
    else groups.set(slot, [item]);
  }
  return groups;
}

/** Cuts a list into parts of at most so many, in order. */
export function inParts<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < items.length; at += size) parts.push(items.slice(at, at + size));
  return parts;
}
