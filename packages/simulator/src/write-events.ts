import type { TagInput } from '@query-tags/core'
import type { World } from './world.ts'

/** Somebody elsewhere writes a row. */
export function write(world: World): void {
  announce(world, 1, [])
}

/** Some rows at once, with tags of nobody's that make a long frame. */
export function writeMany(world: World): void {
  announce(world, 3, filler(world, 15, 960))
}

/** More than is worth listing to somebody who missed it. */
export function flood(world: World): void {
  for (let i = 0; i < 3; i++) announce(world, 1, filler(world, 400, 80))
}

function announce({ sim, database, writer }: World, count: number, more: readonly TagInput[]): void {
  const rows = new Set(Array.from({ length: count }, () => database.pickRow(sim.random)))
  const delayMs = sim.random.pick([0, 0, 50, 1000])
  sim.clock.after(sim.world, 0, () => void writer.write([...rows], delayMs, more))
}

function filler({ sim }: World, count: number, length: number): TagInput[] {
  const from = sim.random.below(5000)
  return Array.from({ length: count }, (_, i) => ['filler', from + i, 'x'.repeat(length)])
}
