import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** Whether a server could listen on this port of all interfaces now. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await tryPort(port)) !== undefined
}

/** The first of these ports that is free, else any other. */
export async function findFreePort(...preferred: number[]): Promise<number> {
  for (const port of preferred) if (await isPortFree(port)) return port
  const port = await tryPort(0)
  if (port === undefined) throw new Error('the system has no free port')
  return port
}

async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer()
  try {
    server.listen(port)
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  } catch {
    // Taken, or not ours to use: either way the answer is no.
    return undefined
  } finally {
    server.close()
  }
}
