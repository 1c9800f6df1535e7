import { hashTagWhere, slotCount, slotOf } from './slots';

describe('slots', () => {
  // As `CLUSTER KEYSLOT` of Redis 7.0.15 answers; 123456789 → 0x31C3 is the check value of CRC-16/XMODEM.
  test.each([
    ['123456789', 0x31c3],
    ['abc', 7_638],
    ['foo', 12_182],
    ['', 0],
  ])('the slot of "%s" is %i', (tag, slot) => expect(slotOf(tag)).toBe(slot));

  test('a hash tag is found for any one slot, and it is the same at each call', () => {
    for (const slot of [0, 1, 7_638, slotCount - 1]) {
      const tag = hashTagWhere(one => one === slot)!;
      expect(slotOf(tag)).toBe(slot);
      expect(hashTagWhere(one => one === slot)).toBe(tag);
    }
  });

  test('for no slot there is none', () => expect(hashTagWhere(() => false)).toBeUndefined());
});
