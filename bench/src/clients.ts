import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Clients {
  /** How many invalidate frames they have received. */
  frames(): Promise<number>
  close(): void
}

/** Opens streams from another process, each watching one tag that all share and some of its own. */
export async function openClients(port: number, count: number, tags: number): Promise<Clients> {
  const script = fileURLToPath(new URL('client-process.ts', import.meta.url))
  const child = fork(script, [port, count, tags].map(String), { execArgv: [] })
  await once(child, 'message')
  return {
    async frames() {
      child.send('frames')
      const [frames] = (await once(child, 'message')) as [number]
      return frames
    },
    close() {
      child.kill()
    },
  }
}
