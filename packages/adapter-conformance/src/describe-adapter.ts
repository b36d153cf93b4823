import { appendFileSync } from 'node:fs'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import type { StartApp } from './app.ts'
import type { Case, Feature } from './cases/case.ts'
import { failureCases } from './cases/failures.ts'
import { lifetimeCases } from './cases/lifetimes.ts'
import { mountCases } from './cases/mounts.ts'
import { refusalCases } from './cases/refusals.ts'
import { streamCases } from './cases/streams.ts'
import { startWorld, type World } from './world.ts'

/** Every case, in the order of the table. */
const cases: readonly Case[] = [...streamCases, ...lifetimeCases, ...mountCases, ...failureCases, ...refusalCases]

/** What a framework lacks, and why. */
export type Flags = { readonly [K in Feature]?: string }

/** One line of the file that `CONFORMANCE_RESULTS` names: what became of one adapter. */
export interface AdapterResults {
  readonly adapter: string
  /** Every case, in the order of the suite. */
  readonly claims: readonly string[]
  /** By case: `passed`, `failed`, or the reason why it was left out. */
  readonly results: Readonly<Record<string, string>>
}

/**
 * Tests an adapter on its real framework. A case that needs what a flag says is missing is left out.
 *
 * @param start starts the framework as {@link AppSetup} says.
 *
 * @example
 * ```ts
 * describeAdapter('koa 3', start, { http2: 'why not' })
 * ```
 */
export function describeAdapter(name: string, start: StartApp, flags: Flags = {}): void {
  describe(`the adapter for ${name}`, () => {
    const results: Record<string, string> = {}

    for (const { name: claim, needs, run } of cases) {
      const reason = needs && flags[needs]
      if (reason !== undefined) {
        results[claim] = reason
        continue
      }
      // oxlint-disable-next-line vitest/valid-title -- the claims are in the cases
      it(claim, async () => {
        const worlds: World[] = []
        const printed: unknown[][] = []
        const spy = vi.spyOn(console, 'error').mockImplementation((...line) => void printed.push(line))
        try {
          await run(async (options) => {
            const world = await startWorld(start, options)
            worlds.push(world)
            return world
          })
        } finally {
          for (const world of worlds) await world.close()
          spy.mockRestore()
        }

        // Whatever a test does to its connections, to the framework it is nothing to speak of.
        expect(worlds.flatMap(({ appErrors }) => appErrors)).toEqual([])
        expect(printed).toEqual([])
      })
    }

    afterEach(({ task }) => {
      results[task.name] = task.result?.state === 'fail' ? 'failed' : 'passed'
    })
    afterAll(() => {
      const file = process.env['CONFORMANCE_RESULTS']
      const line: AdapterResults = { adapter: name, claims: cases.map((one) => one.name), results }
      if (file) appendFileSync(file, `${JSON.stringify(line)}\n`)
    })
  })
}
