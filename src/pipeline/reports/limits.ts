/** So long after midnight the day is over for messages that were under way then. */
export const GRACE_MS = 10 * 60_000
/** A server that was down reports so many days back; what is older nobody waits for any more. */
export const CATCH_UP_DAYS = 7
export const EVERY_MS = 3_600_000
/** Each server has its own minute, so that not all of them mail at once. */
export const FIRST_SPREAD_MS = EVERY_MS
/** Days of domains that are dealt with in one run; the others an hour later. */
export const DAYS_PER_RUN = 2000
/** Reports that wait for the DNS at once. A dead one takes 20 s, and whoever has many domains must not hold up the others. */
export const AT_ONCE = 8
/** After this a run begins no other report: the next, half an hour later, begins with those that were not tried. */
export const RUN_MS = EVERY_MS / 2
