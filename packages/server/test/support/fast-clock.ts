import { systemClock, type Clock } from '../../src/clock.ts'

/** The real clock, of which the monotonic time and the timers go faster: for what takes long beside a real server. */
export function fastClock(times: number): Clock {
  return {
    ...systemClock,
    now: () => performance.now() * times,
    after: (ms, callback) => systemClock.after(ms / times, callback),
  }
}
