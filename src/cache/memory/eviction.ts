/** Which entry goes when there is no room. Works on slots; whoever calls it keeps the table. */
export interface Eviction {
  /** A new entry stands in this slot. */
  add(slot: number): void;
  /** An entry was read. */
  use(slot: number): void;
  /** Takes a slot out of its queue, because its entry is deleted or about to be replaced. */
  remove(slot: number): void;
  /** Puts a slot with a replaced entry back into its queue. */
  restore(slot: number): void;
  /** The slot to be freed, already out of its queue. Only when there are entries. */
  evict(): number;
  clear(): void;
}
