import { expect } from 'vitest'
import type { WorldOptions } from '../world.ts'
import type { Case } from './case.ts'

const SECRET = new Error('the password of the database is swordfish')

const failures: [name: string, phase: string, options: WorldOptions][] = [
  [
    'context throws',
    'context',
    {
      context: () => {
        throw SECRET
      },
    },
  ],
  ['context rejects', 'context', { context: () => Promise.reject(SECRET) }],
  [
    'resolveScope throws',
    'resolve-scope',
    {
      resolveScope: () => {
        throw SECRET
      },
    },
  ],
  ['resolveScope rejects', 'resolve-scope', { resolveScope: () => Promise.reject(SECRET) }],
]

export const failureCases: Case[] = [
  ...failures.map(([name, phase, options]): Case => ({
    name: `answers 500 without detail when ${name}, and reports it once`,
    async run(start) {
      const world = await start(options)

      const reply = await world.ask({})
      const body = await reply.body.json()

      expect([reply.status, body]).toEqual([500, { code: 'internal', message: expect.any(String) as unknown }])
      expect(reply.body.text + JSON.stringify(reply.headers)).not.toMatch(/password|swordfish|Error/)
      expect(world.reports).toEqual([{ error: SECRET, phase }])
    },
  })),
  {
    name: 'refuses another origin before it asks for the context',
    async run(start) {
      let asked = 0
      const world = await start({ context: (user) => ((asked += 1), { user }) })

      const reply = await world.ask({ headers: { origin: 'https://evil.example' } })

      expect([reply.status, asked]).toEqual([403, 0])
    },
  },
]
