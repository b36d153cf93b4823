import type { Conditions } from './conditions.ts'
import type { Sim } from './sim.ts'

/** Chunks that a proxy keeps at most. */
const MAX_HELD = 20

/** What lies between a server and a peer. */
export interface Middlebox {
  pass(bytes: Uint8Array): void
  /** Passes on what was kept, before the end. */
  flush(): void
}

/** Nothing, something that passes on a few bytes at a time, or something that collects them and passes them on now and then, or never. */
export function createMiddlebox(
  sim: Sim,
  { drip, buffer }: Conditions,
  peer: string,
  pass: (bytes: Uint8Array) => void,
): Middlebox {
  const { random } = sim
  if (random.chance(drip)) {
    sim.saw('dripping stream', peer)
    return { pass: (bytes) => dripBytes(sim, bytes, pass), flush: () => undefined }
  }
  if (!random.chance(buffer)) return { pass, flush: () => undefined }
  sim.saw('buffering proxy', peer)
  return createBuffer(sim, random.pick([500, 5000, 15_000, Infinity]), pass)
}

function dripBytes({ random }: Sim, bytes: Uint8Array, pass: (bytes: Uint8Array) => void): void {
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(random.chance(0.1) ? 8 : bytes.length)
    pass(bytes.slice(at, end))
    at = end
  }
}

function createBuffer({ clock, world }: Sim, flushMs: number, pass: (bytes: Uint8Array) => void): Middlebox {
  let held: Uint8Array[] = []
  const flush = (): void => {
    if (held.length > 0) pass(Buffer.concat(held))
    held = []
  }
  return {
    pass(bytes) {
      if (held.push(bytes) === 1 && flushMs < Infinity) clock.after(world, flushMs, flush)
      if (held.length > MAX_HELD) flush()
    },
    flush,
  }
}
