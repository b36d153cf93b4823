import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createExpressMiddleware } from '@query-tags/adapter-express'
import { createTagInvalidationSystem, type SystemOptions, type TagInvalidationSystem } from '@query-tags/server'
import express from 'express'
import { ServerClock } from './server-clock.ts'

const HOUR_MS = 3_600_000

/**
 * An Express app with a system on a real port, that can be killed and started again. To its clock it has been running for an hour: a server
 * that is younger than the page can't say what changed since the page loaded, and resets it. `resolveScope` gets the header `x-user`.
 */
export class AppServer {
  readonly #options: SystemOptions
  #system: TagInvalidationSystem
  #http: Server

  readonly clock: ServerClock

  private constructor(clock: ServerClock, options: SystemOptions, system: TagInvalidationSystem, http: Server) {
    this.clock = clock
    this.#options = options
    this.#system = system
    this.#http = http
  }

  static async start(options: SystemOptions = {}): Promise<AppServer> {
    const clock = new ServerClock()
    const complete = { clock, ...options }
    const listening = await listen(complete, 0)
    clock.shift(HOUR_MS)
    return new AppServer(clock, complete, ...listening)
  }

  get system(): TagInvalidationSystem {
    return this.#system
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/api/invalidator`
  }

  /** As after a crash: every connection is gone, and what was in memory with them. On the same port. */
  async restart(): Promise<void> {
    const { port } = this
    await this.close()
    const [system, http] = await listen(this.#options, port)
    this.#system = system
    this.#http = http
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections()
    this.#http.close()
    await once(this.#http, 'close')
    await this.#system.close({ deadlineMs: 0 })
  }
}

async function listen(options: SystemOptions, port: number): Promise<[TagInvalidationSystem, Server]> {
  const system = createTagInvalidationSystem(options)
  const app = express()
  app.use('/api/invalidator', createExpressMiddleware(system, { context: (req) => req.get('x-user') }))
  app.get('/', (_, res) => void res.type('html').send('<!doctype html>'))
  const http = app.listen(port, '127.0.0.1')
  await once(http, 'listening')
  return [system, http]
}
