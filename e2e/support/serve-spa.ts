import { fileURLToPath } from 'node:url'
import { build, preview } from 'vite'
import { findFreePort } from '../../scripts/free-port.ts'

export interface Site {
  readonly url: string
  close(): Promise<void>
}

/** Builds the SPA and serves it as `vite preview` does, with `/api` passed on to a server. */
export async function serveSpa(api: string): Promise<Site> {
  const root = fileURLToPath(new URL('../../examples/spa/', import.meta.url))
  const port = await findFreePort()
  await buildForProduction(root)
  const server = await preview({
    root,
    logLevel: 'silent',
    preview: { port, strictPort: true, proxy: { '/api': { target: api, changeOrigin: true } } },
  })
  return { url: `http://localhost:${port}`, close: () => server.close() }
}

/** As users get it, rather than what Vitest's NODE_ENV would make of it. */
async function buildForProduction(root: string): Promise<void> {
  const ours = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  await build({ root, logLevel: 'warn' })
  process.env['NODE_ENV'] = ours
}
