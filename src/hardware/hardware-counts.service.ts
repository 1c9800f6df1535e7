import { Injectable } from '@nestjs/common';

/** What the stream and the monitoring have done in this process, for the metrics. Numbers that only grow, but for `clients`. */
@Injectable()
export class HardwareCountsService {
  readonly stream = {
    /** Clients now. */
    clients: 0,
    /** Readings of the machine. */
    readings: 0,
    /** Events written, to all clients together. */
    events: 0,
    /** Events that a client was due and did not get, because it had not taken what was sent before. */
    skipped: 0,
    /** Clients that found no place. */
    refused: 0,
    /** Clients that took nothing for a minute and were let go. */
    stalled: 0,
  };

  readonly monitoring = {
    /** Rows written. */
    written: 0,
    /** Ticks that another instance of this host had written before. */
    duplicate: 0,
    /** Ticks that could not be recorded. */
    failed: 0,
    /** Rows that were dropped because of their age. */
    pruned: 0,
    raised: 0,
    cleared: 0,
  };
}
