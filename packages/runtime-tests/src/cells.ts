import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const APPS = ['node-http', 'fetch', 'express', 'hono', 'fastify', 'koa', 'elysia'] as const
export type App = (typeof APPS)[number]

/** A runtime, and what runs a file on it. */
export interface Runtime {
  readonly name: string
  readonly command: readonly string[]
}

const modules = fileURLToPath(new URL('../node_modules', import.meta.url))
const nodes = [18, 20, 22, 24, 26].map((major) => ({
  name: `Node ${major}`,
  command: [join(modules, `node-${major}/bin/node`)],
}))

export const RUNTIMES: readonly Runtime[] = [
  ...nodes,
  { name: 'Bun 1.4', command: [join(modules, '.bin/bun'), 'run'] },
  { name: 'Deno 2.9', command: [join(modules, '.bin/deno'), 'run', '--allow-all', '--quiet'] },
]

/** Why an app does not run on a runtime, or `undefined` where it does. None of it is for us to mend. */
export function reasonToLeaveOut(app: App, { name }: Runtime): string | undefined {
  if (app === 'fetch' && name.startsWith('Node')) return 'Node has no server of web requests'
  if (app === 'elysia' && name === 'Node 18') return 'Elysia 1.4 needs a global crypto, which Node 18 lacks'
  return undefined
}

/** Lines that a runtime prints whatever we do. */
export const EXPECTED_NOISE: readonly RegExp[] = [
  // For whoever looks at `request.signal`. It aborts after a response, too, when all is over anyway.
  /^Deno\.serve: request\.signal aborts on successful responses \(legacy behavior\)\..*$/gm,
]
